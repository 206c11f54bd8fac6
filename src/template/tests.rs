//! What every message owes to somebody who reads it on a phone at three in the morning.

mod language;

use std::time::Duration;

use super::{
    context::{LEVELS, shortened},
    headline::HEADLINE_CHARACTERS_MAX,
    sample, summary,
    words::{hex, look, words},
};
use crate::{
    domain::{ScoreKind, Severity, Timestamp},
    notify::{
        Notification, NotificationType,
        language::Locale,
        notification::{DigestFacts, DigestItem, NoDataFacts},
    },
    rule::Resolution,
};

const NAMES: [&str; 4] = [
    "Contoso Ltd",
    "VanArsdel",
    "Alpine Ski House Holding GmbH & Co. KG, Garmisch-Partenkirchen",
    "北京市朝阳区某某科技有限公司网络安全事业部",
];

/// Every message with names as they are.
fn realistic() -> Vec<Notification> {
    let mut all = Vec::new();
    for name in NAMES {
        for kind in sample::TYPES {
            let whole = sample::notification(kind, name);
            for score in ScoreKind::ALL {
                let mut of_score = whole.clone();
                if let Some(facts) = &mut of_score.data.score {
                    facts.kind = score;
                    facts.subject = score.has_subjects().then(|| "Workstations of the head office".to_owned());
                }
                all.push(of_score);
            }
        }
    }
    all
}

#[test]
fn every_headline_fits_a_phone_and_says_who() {
    for notification in realistic().into_iter().chain(sample::all()).chain(sample::largest_digests()) {
        let shown = words(&shortened(&notification, LEVELS[0]), &Locale::default());
        let shown = serde_json::to_value(&shown).unwrap();
        let text = |key: &str| shown[key].as_str().unwrap();
        let line = format!("{} {}", text("emoji"), text("headline"));
        assert!(line.chars().count() <= HEADLINE_CHARACTERS_MAX, "{} characters: {line}", line.chars().count());
        if let Some(tenant) = notification.data.tenant.as_ref().filter(|tenant| NAMES.contains(&tenant.name.as_str())) {
            let start: String = tenant.name.chars().take(9).collect();
            assert!(line.contains(&start), "{line}");
        }
    }
}

#[test]
fn a_headline_says_from_what_to_what_and_how_bad() {
    use NotificationType::{AlertFiring, AlertReminder, AlertResolved, AlertUnstable, AlertWorsened};
    let of = |kind, change: fn(&mut Notification)| {
        let mut notification = sample::notification(kind, "Contoso Ltd");
        change(&mut notification);
        summary(&notification, &Locale::default()).headline
    };
    let exposure = |notification: &mut Notification| {
        let score = notification.data.score.as_mut().unwrap();
        (score.kind, score.baseline, score.value) = (ScoreKind::ExposureScore, Some(20.0), Some(35.0));
        (score.loss, score.loss_percent) = (Some(15.0), Some(75.0));
        score.previous = score.previous.map(|_| 30.0);
    };
    let floor = |notification: &mut Notification| {
        notification.data.rule.as_mut().unwrap().condition = "below 350".to_owned();
        let score = notification.data.score.as_mut().unwrap();
        (score.baseline, score.loss, score.loss_percent) = (None, None, None);
    };
    let ceiling = |notification: &mut Notification| {
        notification.data.rule.as_mut().unwrap().condition = "above 69".to_owned();
        let score = notification.data.score.as_mut().unwrap();
        (score.kind, score.baseline, score.value) = (ScoreKind::ExposureScore, None, Some(72.0));
        (score.loss, score.loss_percent) = (None, None);
    };
    let percent = |notification: &mut Notification| {
        let score = notification.data.score.as_mut().unwrap();
        (score.kind, score.baseline, score.value) = (ScoreKind::SecureScore, Some(68.0), Some(57.0));
        (score.loss, score.loss_percent) = (Some(11.0), Some(16.18));
    };
    let same = |_: &mut Notification| ();
    for (headline, expected) in [
        (of(AlertFiring, same), "Contoso Ltd: device secure score fell from 400 to 340 (−15%)"),
        (of(AlertFiring, floor), "Contoso Ltd: device secure score is 340 (below 350)"),
        (of(AlertFiring, percent), "Contoso Ltd: secure score fell from 68% to 57% (−11 points)"),
        (of(AlertFiring, exposure), "Contoso Ltd: exposure score rose from 20 to 35 (+75%, higher is worse)"),
        (of(AlertFiring, ceiling), "Contoso Ltd: exposure score is 72 (above 69, higher is worse)"),
        (of(AlertWorsened, same), "Contoso Ltd: device secure score has worsened to 320, from 340"),
        (of(AlertWorsened, exposure), "Contoso Ltd: exposure score has worsened to 35, from 30"),
        (of(AlertReminder, same), "Contoso Ltd: device secure score is still 340 (−15% from 400)"),
        (of(AlertUnstable, floor), "Contoso Ltd: device secure score keeps changing (below 350)"),
        (of(AlertResolved, same), "Contoso Ltd: device secure score has recovered to 396"),
    ] {
        assert!(headline.starts_with(expected), "{headline}\n{expected}");
    }
    let worse = of(AlertWorsened, exposure);
    assert!(worse.contains("higher is worse"), "{worse}");
}

#[test]
fn an_end_that_is_not_a_recovery_is_neutral_and_says_why() {
    for (resolution, expected) in [
        (Resolution::Accepted, "alert on device secure score is over: 396 accepted"),
        (Resolution::RuleRemoved, "alert on device secure score is over: rule removed"),
        (Resolution::RuleChanged, "alert on device secure score is over: rule edited"),
        (Resolution::TenantRemoved, "alert on device secure score is over: tenant removed"),
        (Resolution::SubjectRemoved, "alert on device secure score is over: no longer polled"),
    ] {
        let mut over = sample::notification(NotificationType::AlertResolved, "Contoso Ltd");
        over.data.alert.as_mut().unwrap().resolution = Some(resolution);
        assert_eq!(look(&over), ("⚪", "default"), "{resolution:?}");
        assert_eq!(summary(&over, &Locale::default()).headline, format!("Contoso Ltd: {expected}"));
    }
    let recovered = sample::notification(NotificationType::AlertResolved, "Contoso Ltd");
    assert_eq!(look(&recovered), ("✅", "good"));
}

#[test]
fn only_what_got_better_is_green() {
    for notification in sample::all() {
        let is_over = notification.data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
        let (emoji, color) = look(&notification);
        assert!(is_over || (emoji != "✅" && color != "good"), "{notification:?}");
    }
    let expires = sample::notification(NotificationType::OperatorCredential, "Contoso Ltd");
    assert!(expires.data.operator.as_ref().unwrap().until.is_some());
    assert_eq!(look(&expires), ("⚠️", "warning"), "it will expire: nothing got better");
}

#[test]
fn a_reminder_says_since_when_how_long_and_that_nobody_has_acknowledged() {
    let mut reminder = sample::notification(NotificationType::AlertReminder, "Contoso Ltd");
    reminder.timestamp = Timestamp::parse("2026-11-26T09:15:58Z").unwrap();
    let facts = summary(&reminder, &Locale::default()).facts;
    let fact = |name: &str| facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str());
    assert_eq!(fact("Since"), Some("2026-11-24 07:00 UTC (2 days 2 hours)"));
    assert_eq!(fact("Acknowledged"), Some("no"));
}

#[test]
fn no_fact_repeats_the_headline_or_another_fact() {
    for notification in realistic() {
        let summary = summary(&notification, &Locale::default());
        let mut said: Vec<&str> = summary.facts.iter().map(|fact| fact.value.as_str()).collect();
        for value in &said {
            let is_short = value.chars().count() < 4;
            assert!(is_short || !summary.headline.contains(value), "{value}: {}", summary.headline);
        }
        let count = said.len();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), count, "{:?}", summary.facts);
    }
}

#[test]
fn the_operator_reads_class_and_time_once_and_of_an_end_no_class() {
    let said = |notification: &Notification| {
        let shown = words(&shortened(notification, LEVELS[0]), &Locale::default());
        let shown = serde_json::to_value(&shown).unwrap();
        let keys: Vec<String> =
            shown["facts"].as_array().unwrap().iter().map(|fact| fact["key"].as_str().unwrap().to_owned()).collect();
        (shown["headline"].to_string(), shown["reason"].to_string(), keys)
    };
    let mut blind = sample::notification(NotificationType::OperatorBlind, "Contoso Ltd");
    let (headline, reason, keys) = said(&blind);
    assert!(headline.contains("(secret-expired)") && !reason.contains("secret-expired"), "{headline} {reason}");
    assert!(reason.contains("Checks have been failing since 2026-11-24 07:00"), "{reason}");
    assert!(!keys.contains(&"Since".to_owned()) && !keys.contains(&"Class".to_owned()), "{keys:?}");

    let alert = blind.data.alert.as_mut().unwrap();
    (alert.resolved_at, alert.resolution) = (Some(blind.timestamp), Some(Resolution::Recovered));
    (alert.reason, alert.remark) = (None, None);
    let operator = blind.data.operator.as_mut().unwrap();
    (operator.class, operator.until) = ("recovered".to_owned(), Some(blind.timestamp));
    let (.., keys) = said(&blind);
    assert!(keys.contains(&"From".to_owned()) && !keys.contains(&"Class".to_owned()), "{keys:?}");
    let (.., keys) = said(&sample::notification(NotificationType::OperatorDowntime, "Contoso Ltd"));
    assert!(!keys.contains(&"Class".to_owned()), "{keys:?}");
}

#[test]
fn no_button_is_cut_off_and_none_leads_nowhere() {
    for notification in realistic() {
        let links = summary(&notification, &Locale::default()).links;
        assert!(links.len() <= 5, "{links:?}");
        for link in links {
            assert!(link.title.chars().count() <= 22, "{}", link.title);
            assert!(link.url.starts_with("https://"), "{}", link.url);
        }
    }
}

#[test]
fn what_many_tenants_lack_for_one_cause_is_one_line_at_the_start_and_at_the_end() {
    for (kind, expected) in [
        (NotificationType::AlertFiring, "🔴 38 tenants have no data: Microsoft's service fails (T0, T1, "),
        (NotificationType::AlertResolved, "✅ 38 tenants can be read again (T0, T1, "),
    ] {
        let item = |number: usize| {
            let mut item = DigestItem::from(sample::notification(kind, &format!("T{number}")));
            item.tenant.as_mut().unwrap().id = format!("t{number}");
            item.no_data = vec![sample::no_data("microsoft-down")];
            item
        };
        let mut digest = sample::notification(NotificationType::Digest, "Contoso Ltd");
        digest.data.items = (0..38).map(item).collect();
        digest.data.digest = Some(DigestFacts { firing: 38, critical: 38, tenants: 38, ..DigestFacts::default() });
        let shown = serde_json::to_value(words(&shortened(&digest, LEVELS[0]), &Locale::default())).unwrap();
        let lines = shown["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = lines[0].as_str().unwrap();
        assert!(line.starts_with(expected) && line.contains("and 30 more"), "{line}");
    }
}

#[test]
fn several_rules_on_one_reading_read_as_the_worst_of_them_with_a_line_for_each() {
    let worst =
        sample::guided(sample::notification(NotificationType::AlertFiring, "Contoso Ltd"), "", "Look at Intune.");
    let mut floor = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    floor.data.alert.as_mut().unwrap().severity = Severity::Warning;
    let rule = floor.data.rule.as_mut().unwrap();
    (rule.name, rule.condition) = ("device-score-floor".to_owned(), "below 350".to_owned());
    rule.runbook = Some("Agree on what to implement.".to_owned());
    let mut digest = sample::notification(NotificationType::Digest, "Contoso Ltd");
    digest.data.digest = Some(DigestFacts { firing: 2, critical: 1, warning: 1, tenants: 1, ..DigestFacts::default() });
    digest.data.causes.clone_from(&worst.data.causes);
    digest.data.items = vec![worst.into(), floor.into()];
    let shown = serde_json::to_value(words(&shortened(&digest, LEVELS[0]), &Locale::default())).unwrap();
    assert_eq!(shown["headline"], "Contoso Ltd: device secure score fell from 400 to 340 (−15%)");
    assert_eq!(shown["emoji"], "🔴");
    let lines: Vec<&str> = shown["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines[0].starts_with("🔴 device-score-drop: drop 5% within 24h · "), "{lines:?}");
    assert!(lines[1].starts_with("🟠 device-score-floor: below 350 · "), "{lines:?}");
    assert_eq!(shown["what_to_do"], "Look at Intune. Agree on what to implement.");
    assert_eq!(shown["linked_causes"].as_array().unwrap().len(), 2);
}

/// Relative luminance of an sRGB color (WCAG 2.1, "relative luminance").
fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/// Contrast ratio of two colors (WCAG 2.1, "contrast ratio").
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Text on the background of a container, by style, in the light and the dark theme of Teams: the host configurations of
/// Microsoft's Adaptive Cards Designer.
const TEAMS: [(&str, [[&str; 2]; 2]); 5] = [
    ("default", [["#252424", "#FFFFFF"], ["#FFFFFF", "#2D2C2C"]]),
    ("accent", [["#252424", "#C7DEF9"], ["#201F1F", "#C7DEF9"]]),
    ("good", [["#252424", "#CCFFCC"], ["#201F1F", "#CCFFCC"]]),
    ("warning", [["#252424", "#FFE2B2"], ["#201F1F", "#FFE2B2"]]),
    ("attention", [["#252424", "#FFC5B2"], ["#201F1F", "#FFC5B2"]]),
];
// Least contrast of text (WCAG 2.1, level AA, 1.4.3), and of what is not text (1.4.11).
const TEXT_MIN: f64 = 4.5;
const SHAPE_MIN: f64 = 3.0;

#[test]
fn every_color_stands_out_from_its_background_in_light_and_dark() {
    assert!((contrast("#000000", "#FFFFFF") - 21.0).abs() < 0.01 && contrast("#F8D22A", "#FFFFFF") < 2.0);
    let mut styles: Vec<&str> = sample::all().iter().map(|notification| look(notification).1).collect();
    styles.sort_unstable();
    styles.dedup();
    for style in styles {
        let (_, themes) = TEAMS.iter().find(|(known, _)| *known == style).unwrap();
        for [text, background] in themes {
            assert!(contrast(text, background) >= TEXT_MIN, "{style}: {text} on {background}");
        }
        for background in ["#FFFFFF", "#1B1B1B"] {
            let ratio = contrast(hex(style), background);
            assert!(ratio >= SHAPE_MIN, "{style}: {} on {background}: {ratio}", hex(style));
        }
    }
}

#[test]
fn no_text_of_a_card_has_a_color_of_its_own_and_the_mail_s_colors_can_be_read() {
    // Of Teams' colors for text, `good` and `warning` can't be read on white, nor `attention` on black.
    let teams = [include_str!("../../templates/teams.hbs"), include_str!("../../templates/teams-fact.hbs")].concat();
    assert!(!teams.contains("\"color\""));
    let mail = include_str!("../../templates/email.hbs");
    for [text, background] in [
        ["#1f2328", "#ffffff"],
        ["#0b5cad", "#ffffff"],
        ["#57606a", "#ffffff"],
        ["#e6e6e6", "#1b1b1b"],
        ["#7ab7ff", "#1b1b1b"],
        ["#a7adb5", "#1b1b1b"],
    ] {
        assert!(mail.contains(text) && mail.contains(background), "{text} on {background}");
        assert!(contrast(text, background) >= TEXT_MIN, "{text} on {background}: {}", contrast(text, background));
    }
    let written = mail.matches("color: #").count() + mail.matches("background: #").count();
    assert_eq!(written, 8, "each color of the mail is in the table above");
}

#[test]
fn a_lack_of_data_says_for_how_long() {
    let mut blind = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let score = blind.data.score.as_mut().unwrap();
    (score.value, score.baseline, score.all) = (None, None, true);
    let of = |kind, is_new| NoDataFacts {
        kind,
        since: Timestamp::parse("2026-11-24T03:15:58Z").unwrap(),
        class: None,
        cause: None,
        hint: None,
        reason: "x".to_owned(),
        lack: None,
        is_new,
    };
    blind.data.no_data = vec![of(ScoreKind::DeviceSecureScore, false)];
    assert_eq!(
        summary(&blind, &Locale::default()).headline,
        "Contoso Ltd: device secure score has had no data for 6 hours"
    );
    blind.data.no_data.push(of(ScoreKind::ExposureScore, true));
    assert_eq!(summary(&blind, &Locale::default()).headline, "Contoso Ltd: 2 scores have had no data for 6 hours");
    blind.kind = NotificationType::AlertWorsened;
    assert_eq!(summary(&blind, &Locale::default()).headline, "Contoso Ltd: 2 scores have no data now, up from 1");
    blind.kind = NotificationType::AlertReminder;
    blind.timestamp = blind.timestamp.plus(Duration::from_hours(24));
    assert_eq!(summary(&blind, &Locale::default()).headline, "Contoso Ltd: 2 scores still have no data after 1 day");
}
