//! Every kind of message drawn as people see it, into `target/pictures/`: cards by Microsoft's renderer in the colors of Teams,
//! mails by Chromium, each on a phone and on a desk, in light and dark. What is wider than its screen, or cut off, fails.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use scorewatch::{
    channel::email::Letter,
    domain::{Language, ScoreKind, Severity},
    notify::language::Locale,
    notify::{NotificationType, facts::month::MonthFacts, notification::DigestFacts},
    rule::Resolution,
    template::Registry,
};
use serde_json::{Value, json};

use super::*;

/// Widths of a phone and of a desk, in CSS pixels.
const WIDTHS: [u32; 2] = [375, 600];

/// The languages that are drawn, each with the beginning of the pictures' names: with `SCOREWATCH_LANGUAGES=all` all of them.
fn locales() -> Vec<(&'static str, Locale)> {
    let of = |(name, language)| (name, Locale { language, ..Locale::default() });
    let drawn = if std::env::var("SCOREWATCH_LANGUAGES").is_ok_and(|drawn| drawn == "all") { 3 } else { 1 };
    [("", Language::En), ("de-", Language::De), ("fr-", Language::Fr)].into_iter().take(drawn).map(of).collect()
}

/// One of each kind, and what is particular to some: exposure, a floor, accepted, several rules on one reading.
fn messages() -> Vec<(String, Notification)> {
    let of = |kind| sample::notification(kind, "Contoso Ltd");
    let mut messages: Vec<(String, Notification)> =
        sample::TYPES.into_iter().map(|kind| (kind.as_str().to_owned(), of(kind))).collect();
    let mut exposure = of(NotificationType::AlertFiring);
    let score = exposure.data.score.as_mut().unwrap();
    (score.kind, score.baseline, score.value) = (ScoreKind::ExposureScore, Some(20.0), Some(35.0));
    (score.loss, score.loss_percent) = (Some(15.0), Some(75.0));
    exposure.data.links.portal = Some("https://security.microsoft.com/tvm_dashboard?tid=x".to_owned());
    messages.push(("exposure".to_owned(), exposure));
    let mut accepted = of(NotificationType::AlertResolved);
    let alert = accepted.data.alert.as_mut().unwrap();
    alert.resolution = Some(Resolution::Accepted);
    alert.reason = Some("The loss was accepted as the new level by ana.".to_owned());
    messages.push(("accepted".to_owned(), accepted));
    let guided = sample::guided(
        of(NotificationType::AlertFiring),
        "The device score fell suddenly.",
        "In the Defender portal, open Vulnerability management > Recommendations and sort by impact.",
    );
    messages.push(("guided".to_owned(), guided.clone()));
    let mut floor = of(NotificationType::AlertFiring);
    floor.data.alert.as_mut().unwrap().severity = Severity::Warning;
    let rule = floor.data.rule.as_mut().unwrap();
    (rule.name, rule.condition) = ("device-score-floor".to_owned(), "below 350".to_owned());
    let mut reading = of(NotificationType::Digest);
    reading.data.digest =
        Some(DigestFacts { firing: 2, critical: 1, warning: 1, tenants: 1, ..DigestFacts::default() });
    reading.data.causes.clone_from(&guided.data.causes);
    reading.data.items = vec![guided.into(), floor.into()];
    messages.push(("several rules".to_owned(), reading));
    messages
}

/// Where pictures are.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Has Chromium show a page in a window of that size, and do something with it.
fn chromium(page: &Path, (width, height): (u32, u32), what: &str) -> String {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files"])
        .args(["--virtual-time-budget=3000", &format!("--window-size={width},{height}"), what])
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium is needed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Draws a page, and says what it says of itself in `#verdict`.
fn draw(name: &str, page: &str, size: (u32, u32)) -> String {
    let file = folder().join(format!("{name}.html"));
    fs::write(&file, page).unwrap();
    chromium(&file, size, &format!("--screenshot={}", folder().join(format!("{name}.png")).display()));
    let dumped = chromium(&file, size, "--dump-dom");
    let verdict = dumped.split_once("id=\"verdict\"").and_then(|(_, rest)| rest.split_once('>'));
    let verdict = verdict.and_then(|(_, rest)| rest.split_once("</pre>"));
    verdict.map_or("the page says nothing", |(said, _)| said).to_owned()
}

/// Says in `#verdict` what is cut off or wider than the page.
const JUDGE: &str = include_str!("pictures.js");

#[test]
#[ignore = "needs chromium"]
fn whatever_cuts_a_text_off_is_found() {
    let text = "Contoso Ltd: secure score fell from 400 to 340";
    for (name, style, is_good) in [
        ("whole", "", true),
        ("wrapped", "width:9em;overflow:hidden", true),
        ("wide", "white-space:nowrap;width:2000px", false),
        ("beyond", "white-space:nowrap;width:5em;margin-left:250px", false),
        ("hidden", "white-space:nowrap;width:9em;overflow:hidden", false),
        ("ellipsis", "white-space:nowrap;width:9em;overflow:hidden;text-overflow:ellipsis", false),
        ("low", "width:9em;height:1.2em;overflow:hidden", false),
        ("left", "position:absolute;left:-60px", false),
    ] {
        let page = format!(
            "<!doctype html><meta charset=utf-8><body><div style=\"{style}\">{text}</div><script>{JUDGE}</script>"
        );
        let verdict = draw(&format!("control-{name}"), &page, (375, 200));
        assert_eq!(verdict == "good", is_good, "{name}: {verdict}");
    }
}

#[test]
#[ignore = "needs tests/validators/install and chromium"]
fn every_card_fits_a_phone_and_a_desk_in_light_and_dark() {
    for (language, locale) in locales() {
        draw_cards(language, locale);
    }
}

fn draw_cards(language: &str, locale: Locale) {
    let folder = tempfile::tempdir().unwrap();
    let kind = ChannelKind::Teams(Teams { url: secret(&folder, "url", TEAMS_URL) });
    let teams = open_in(kind, Private::Refused, locale);
    let cards: Vec<Value> = messages()
        .iter()
        .map(|(name, message)| {
            let payload: Value = serde_json::from_str(&body(&compose(&*teams, message, Timestamp::EPOCH))).unwrap();
            json!({ "name": name, "card": payload["attachments"][0]["content"] })
        })
        .collect();
    let renderer = installed().join("node_modules/adaptivecards/dist/adaptivecards.min.js");
    for (theme, text, subtle, page, card) in
        [("light", "#252424", "#616161", "#f5f5f5", "#ffffff"), ("dark", "#ffffff", "#c8c8c8", "#1f1f1f", "#2d2c2c")]
    {
        let tinted = |background: &str| {
            let text = if theme == "light" { "#252424" } else { "#201f1f" };
            json!({ "backgroundColor": background, "foregroundColors": { "default": { "default": text, "subtle": text } } })
        };
        let config = json!({
            "fontFamily": "'Segoe UI', 'Open Sans', 'Noto Color Emoji', sans-serif",
            "spacing": { "small": 4, "default": 8, "medium": 12, "large": 16, "extraLarge": 20, "padding": 12 },
            "containerStyles": {
                "default": { "backgroundColor": card,
                             "foregroundColors": { "default": { "default": text, "subtle": subtle } } },
                "accent": tinted("#C7DEF9"), "good": tinted("#CCFFCC"),
                "warning": tinted("#FFE2B2"), "attention": tinted("#FFC5B2"),
            },
            "actions": { "maxActions": 6, "buttonSpacing": 8, "actionsOrientation": "horizontal", "actionAlignment": "left" },
        });
        for width in WIDTHS {
            let html = format!(
                "<!doctype html><meta charset=utf-8><script src='{}'></script><style>
                   body {{ margin: 0; padding: 8px; background: {page}; color: {text}; font: 14px 'Open Sans', sans-serif; }}
                   .card {{ background: {card}; border-radius: 6px; margin-bottom: 12px; overflow: hidden; }}
                   small {{ opacity: .6; }} a {{ color: {text}; }} .ac-horizontal-overflow-container, .ac-actionSet {{ flex-wrap: wrap; }}
                   button {{ font: 600 13px 'Open Sans', sans-serif; padding: 6px 12px; margin-bottom: 6px; color: {text};
                             border: 1px solid #888; border-radius: 4px; background: {card}; }}
                 </style><body><script>
                 AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {{
                   result.outputHtml = text.replace(/\\[([^\\]]+)\\]\\(([^)]+)\\)/g, '<a href=\"$2\">$1</a>'); result.didProcess = true; }};
                 for (const {{ name, card }} of {}) {{
                   const title = document.createElement('small'); title.textContent = name; document.body.append(title);
                   const drawn = new AdaptiveCards.AdaptiveCard();
                   drawn.hostConfig = new AdaptiveCards.HostConfig({config});
                   drawn.parse(card);
                   const frame = document.createElement('div'); frame.className = 'card';
                   frame.append(drawn.render()); document.body.append(frame);
                 }}
                 {JUDGE}</script>",
                renderer.display(),
                Value::from(cards.clone()).to_string().replace("</", "<\\/"),
            );
            let verdict = draw(&format!("{language}teams-{theme}-{width}"), &html, (width, 9000));
            assert_eq!(verdict, "good", "{language}teams, {theme}, {width}");
        }
    }
}

#[test]
#[ignore = "needs tests/validators/install and chromium"]
fn every_mail_fits_a_phone_and_a_desk_in_light_and_dark() {
    // A month is a page with a head of its own.
    let (months, others): (Vec<_>, Vec<_>) =
        messages().into_iter().partition(|(_, message)| message.kind == NotificationType::MonthReport);
    for (language, locale) in locales() {
        draw_mails(&format!("{language}mail"), &others, &locale);
        draw_mails(&format!("{language}mail-month"), &months, &locale);
    }
}

/// Draws mails one below the other.
fn draw_mails(name: &str, messages: &[(String, Notification)], locale: &Locale) {
    let registry: Registry = channel::templates(None).unwrap();
    let mails: Vec<String> = messages
        .iter()
        .map(|(_, message)| {
            let letter = registry.render("email", &channel::email::DIALECT, message, locale).unwrap();
            let letter: Letter = serde_json::from_slice(&letter).unwrap();
            letter.html.unwrap()
        })
        .collect();
    for theme in ["light", "dark"] {
        for width in WIDTHS {
            // Of many mails one page is made: the head of the first serves all.
            let (head, _) = mails[0].split_once("<body").unwrap();
            let bodies: Vec<&str> = mails
                .iter()
                .map(|mail| {
                    mail.split_once("<body").unwrap().1.split_once('>').unwrap().1.split_once("</body>").unwrap().0
                })
                .collect();
            let style = mails[0].split_once("<body").unwrap().1.split_once('>').unwrap().0;
            let head =
                if theme == "dark" { head.replace("(prefers-color-scheme: dark)", "all") } else { head.to_owned() };
            let html = format!("{head}<body{style}>{}<script>{JUDGE}</script></body></html>", bodies.join("<hr>"));
            let verdict = draw(&format!("{name}-{theme}-{width}"), &html, (width, 9000));
            assert_eq!(verdict, "good", "{name}, {theme}, {width}");
        }
    }
}

/// The width of A4 within the margins of the page, in CSS pixels.
const PAPER_WIDTH: u32 = 673;
/// The most sheets that a month takes whose names are ordinary, and one whose names are long.
const SHEETS_MAX: usize = 3;
const SHEETS_OF_LONG_NAMES: usize = 4;
/// What lets a page run no script, its judge included.
const POLICY: &str =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">";

/// Months as customers get them: an ordinary one; one whose score hardly moves, apart from an hour; one with names that nothing breaks.
fn months() -> [(&'static str, MonthFacts); 3] {
    let of = |name: &str| *sample::notification(NotificationType::MonthReport, name).data.month.unwrap();
    let mut calm = of("Contoso Ltd");
    let score = &mut calm.report.scores[1];
    for day in &mut score.days {
        day.value = if day.day < 15 { 547.0 } else { 545.0 };
    }
    (score.value, score.change, score.is_better) = (545.0, -2.0, Some(false));
    (score.lowest, score.highest) = (486.0, 547.0);
    [("ordinary", of("Contoso Ltd")), ("calm", calm), ("long", of(&"Donaudampfschifffahrtsgesellschaft".repeat(4)))]
}

#[test]
#[ignore = "needs chromium"]
fn the_report_on_a_month_fits_paper_a_desk_and_a_phone_and_takes_few_sheets() {
    for (language, locale) in locales() {
        for (name, MonthFacts { report, brand, .. }) in months() {
            let page = scorewatch::page::report(&report, locale.language, &brand).unwrap();
            assert!(page.contains(POLICY), "the page runs no script");
            // Without that, so that it can be judged.
            let judged = page.replace(POLICY, "").replace("</body>", &format!("<script>{JUDGE}</script></body>"));
            let on_paper = judged.replace("@media print", "@media all");
            assert_ne!(judged, on_paper, "it has a style for paper");
            for (medium, page, width) in
                [("paper", &on_paper, PAPER_WIDTH), ("desk", &judged, 1200), ("phone", &judged, 375)]
            {
                let verdict = draw(&format!("{language}report-{name}-{medium}"), page, (width, 3000));
                assert_eq!(verdict, "good", "{language}{name}, {medium}");
            }
            let sheets = sheets(&format!("{language}report-{name}"), &page);
            let most = if name == "long" { SHEETS_OF_LONG_NAMES } else { SHEETS_MAX };
            assert!((1..=most).contains(&sheets), "{language}{name}: {sheets} sheets");
        }
    }
}

/// Prints a page as it is, and counts the sheets.
fn sheets(name: &str, page: &str) -> usize {
    let (file, printed) = (folder().join(format!("{name}.html")), folder().join(format!("{name}.pdf")));
    fs::write(&file, page).unwrap();
    chromium(&file, (1200, 3000), &format!("--print-to-pdf={}", printed.display()));
    let printed = fs::read(&printed).unwrap();
    String::from_utf8_lossy(&printed).matches("/Type /Page\n").count()
}
