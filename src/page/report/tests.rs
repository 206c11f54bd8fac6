use super::*;
use crate::{
    domain::{Severity, Timestamp},
    notify::{
        facts::month::{DayValue, FailingChecks, Unknown},
        notification::ExcludedControl,
        reason::{CauseKind, ChangedBy, control_diff::ControlChanges},
    },
    schedule::Month,
};

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn change(kind: CauseKind, title: &str, points: f64, percent: f64) -> ControlChange {
    let link = (points < -5.0).then(|| "https://security.microsoft.com/securescore?viewid=actions".to_owned());
    ControlChange { kind, title: title.to_owned(), category: Some("Identity".to_owned()), points, percent, link }
}

fn score(score: ScoreKind, values: &[(i8, f64)], before: Option<f64>, is_better: Option<bool>) -> ScoreMonth {
    let value = values.last().unwrap().1;
    ScoreMonth {
        score,
        subject: None,
        value,
        observed_at: instant("2026-11-30T00:00:00Z"),
        before,
        change: value - before.unwrap_or(values[0].1),
        is_better,
        lowest: values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min),
        highest: values.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max),
        days: values.iter().map(|&(day, value)| DayValue { day, value }).collect(),
        missing_days: 0,
    }
}

fn november() -> MonthReport {
    let alert = |rule: &str, severity, since: &str, is_acknowledged| FiringAlert {
        rule: rule.to_owned(),
        score: Some(ScoreKind::SecureScore),
        subject: None,
        severity: Some(severity),
        since: instant(since),
        since_day: since[..10].parse().unwrap(),
        is_acknowledged,
    };
    MonthReport {
        tenant: "contoso".to_owned(),
        name: "Contoso Ltd".to_owned(),
        tenant_id: "00000000-0000-0000-0000-000000002f1c".to_owned(),
        month: "2026-11".parse::<Month>().unwrap(),
        from: instant("2026-10-31T23:00:00Z"),
        until: instant("2026-11-30T23:00:00Z"),
        last_day: "2026-11-30".parse().unwrap(),
        is_over: true,
        failing: None,
        timezone: "Europe/Berlin".to_owned(),
        scores: vec![
            score(ScoreKind::SecureScore, &[(1, 68.0), (12, 68.4), (13, 57.2), (30, 57.2)], Some(68.0), Some(false)),
            score(ScoreKind::DeviceSecureScore, &[(3, 512.0), (30, 513.0)], None, Some(true)),
            score(ScoreKind::ExposureScore, &[(1, 31.0), (30, 31.0)], Some(31.0), None),
        ],
        asked_microsoft: true,
        controls: Controls::Known(ControlChanges {
            from: instant("2026-10-31T00:00:00Z"),
            to: instant("2026-11-30T00:00:00Z"),
            changed_by: ChangedBy::Tenant,
            lost: vec![
                change(CauseKind::Lost, "Require MFA for administrators", -10.0, -8.2),
                change(CauseKind::Lost, "Block legacy authentication", -1.0, -3.0),
            ],
            gained: vec![change(CauseKind::Improved, "Enable Safe Links", 0.5, 0.4)],
        }),
        alerts: vec![
            alert("secure-score-drop", Severity::Critical, "2026-11-13T08:00:00Z", true),
            alert("secure-score-low", Severity::Warning, "2026-11-14T08:00:00Z", false),
        ],
        actions: vec![
            NextAction {
                score: ScoreKind::SecureScore,
                title: "Require MFA for administrators".to_owned(),
                category: Some("Identity".to_owned()),
                points: 10.0,
                link: Some("https://entra.microsoft.com/".to_owned()),
            },
            NextAction {
                score: ScoreKind::SecureScore,
                title: "Turn on Safe Attachments".to_owned(),
                category: None,
                points: 1.0,
                link: None,
            },
        ],
        excluded: Vec::new(),
        actions_unknown: vec![Unknown { score: ScoreKind::DeviceSecureScore, class: "role-missing".to_owned() }],
    }
}

fn brand() -> Brand {
    Brand { name: Some("Northwind Security".to_owned()), color: Color::parse("#0b5fff") }
}

fn page(of: &MonthReport, language: Language) -> String {
    report(of, language, &brand()).unwrap()
}

/// What a person reads: the page without its elements, a line each.
fn read(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let mut text = String::new();
    for part in body.split('<') {
        let (element, words) = part.split_once('>').unwrap_or(("", part));
        if !matches!(element, "b" | "/b" | "/span" | "small" | "/a") && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(words.trim_matches('\n'));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n").replace(['\u{a0}', '\u{202f}'], " ")
}

#[test]
fn a_month_reads_well_in_every_language() {
    for language in Language::ALL {
        let shown = read(&page(&november(), language));
        insta::with_settings!({ snapshot_suffix => language.as_str() }, { insta::assert_snapshot!(shown) });
    }
}

#[test]
fn a_drawing_and_its_caption_show_the_same_values_and_a_small_move_looks_small() {
    let mut report = november();
    report.scores = vec![score(ScoreKind::DeviceSecureScore, &[(1, 547.0), (30, 545.0)], None, Some(false))];
    let whole = page(&report, Language::En);
    assert!(read(&whole).contains("Lowest 545 · Highest 547 (last value of each day) · higher is better"), "{whole}");
    let label = "aria-label=\"Secure score for devices: Lowest 545, Highest 547 (last value of each day)\"";
    assert!(whole.contains(label), "{whole}");
    assert!(whole.contains("<span>620</span><span>480</span>"), "the ends of the axis: {whole}");
    let line = whole.split_once("points=\"").unwrap().1.split_once('"').unwrap().0;
    let heights: Vec<f64> = line.split([' ', ',']).skip(1).step_by(2).map(|y| y.parse().unwrap()).collect();
    let moved = heights[1] - heights[0];
    assert!(moved > 0.0 && moved < 3.0, "2 of 547 points move the line by {moved} of 96: {line}");

    // Within a day, the score was lower than each day's last value.
    report.scores[0].lowest = 486.0;
    let whole = page(&report, Language::En);
    assert!(read(&whole).contains("Lowest 545 · Highest 547 (last value of each day) · as low as 486 during a day"));
    assert!(whole.contains(label), "the drawing is of the same values: {whole}");
}

#[test]
fn a_french_page_has_a_no_break_space_before_each_colon() {
    let mut report = november();
    report.is_over = false;
    report.failing = Some(FailingChecks { since: "2026-11-29".parse().unwrap(), class: "unreachable".to_owned() });
    let whole = page(&report, Language::Fr);
    let (head, body) = whole.split_once("<body>").unwrap();
    let title = head.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    assert!(body.contains("novembre 2026\u{a0}: le service de surveillance ne parvient pas"), "{body}");
    for text in body.split(['<', '>', '"']).chain([title]) {
        let colons = text.match_indices(':').filter(|(at, _)| text[at + 1..].starts_with([' ', '\u{a0}']));
        for (at, _) in colons {
            assert!(text[..at].ends_with('\u{a0}'), "{text}");
        }
    }
}

#[test]
fn a_month_without_anything_says_so() {
    let empty = MonthReport {
        is_over: false,
        scores: Vec::new(),
        asked_microsoft: false,
        controls: Controls::NotAsked,
        alerts: Vec::new(),
        actions: Vec::new(),
        actions_unknown: Vec::new(),
        ..november()
    };
    let shown = read(&page(&empty, Language::En));
    for sentence in [
        "The month is not over yet: this is how it stands so far.",
        "No score was read in this month.",
        "No alert is open.",
    ] {
        assert!(shown.contains(sentence), "{sentence}: {shown}");
    }
    for absent in ["What changed the secure score", "Next actions"] {
        assert!(!shown.contains(absent), "nobody asked: {shown}");
    }
    let offline = MonthReport { scores: november().scores, ..empty };
    let shown = read(&page(&offline, Language::En));
    assert!(shown.contains("What controls did to the secure score was not looked up."), "{shown}");
    let asked = MonthReport { asked_microsoft: true, ..offline };
    assert!(read(&page(&asked, Language::En)).contains("Nothing to recommend."));
}

#[test]
fn long_lists_are_cut_and_counted() {
    let mut long = november();
    let Controls::Known(changes) = &mut long.controls else { unreachable!() };
    changes.lost = (0..14).map(|number| change(CauseKind::Lost, &format!("Control {number}"), -1.0, -1.0)).collect();
    long.alerts = std::iter::repeat_n(long.alerts[0].clone(), 21).collect();
    let shown = read(&page(&long, Language::En));
    assert!(shown.contains("and 4 more") && shown.contains("and 1 more"), "{shown}");
}

#[test]
fn text_from_outside_stays_text() {
    let hostile = "</title><script>alert(1)</script> \" onload='x' {{this}} \u{202e}evil";
    let mut report = november();
    report.name = hostile.to_owned();
    report.scores[0].subject = Some(hostile.to_owned());
    report.actions[0].title = hostile.to_owned();
    report.actions[0].category = Some(hostile.to_owned());
    report.alerts[0].score = Some(ScoreKind::SecureScoreCategory);
    report.alerts[0].subject = Some(hostile.to_owned());
    let Controls::Known(changes) = &mut report.controls else { unreachable!() };
    changes.lost[0].title = hostile.to_owned();
    changes.lost[0].link = Some("https://example.com/?\"><script>".to_owned());
    let page = page(&report, Language::Fr);
    assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
    assert!(page.contains("&lt;script&gt;") && page.contains("{{this}}"), "{page}");
}

#[test]
fn a_page_loads_nothing_and_its_colors_can_be_read() {
    let page = page(&november(), Language::En);
    for loads in ["<script", "<img", "<link", "url(", "@import", "http://", "src="] {
        assert!(!page.contains(loads), "{loads}");
    }
    let css = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    for class in [".better", ".worse", ".level", ".critical", ".warning", ".info", "small, .small", "a "] {
        let rule = css.lines().find(|line| line.starts_with(&format!("{} ", class.trim()))).unwrap();
        let color = rule.split_once("color: ").unwrap().1;
        let color = match color.split([';', ' ']).next().unwrap() {
            "#444" => "#444444",
            "#555" => "#555555",
            color => color,
        };
        let contrast = Color::parse(color).unwrap().contrast(Color::WHITE);
        assert!(contrast >= 4.5, "{class} {color}: {contrast}");
    }
}

#[test]
fn excluded_controls_are_counted_with_their_end_and_reason() {
    let control = |name: &str| ExcludedControl {
        control: name.to_owned(),
        until: Some(instant("2027-03-01T00:00:00Z")),
        reason: Some("Okta <enforces> MFA.".to_owned()),
    };
    for (controls, language, said) in [
        (1, Language::En, "Alerts, changes and next actions leave out 1 control until March 1, 2027: Okta"),
        (2, Language::En, "leave out 2 controls until March 1, 2027: Okta"),
        (1, Language::De, "lassen 1 Maßnahme bis zum 1. März 2027 außer Acht: Okta"),
        (2, Language::Fr, "excluent 2 contrôles jusqu’au 1er mars 2027 : Okta"),
    ] {
        let excluded = ["MFA", "DLP"].iter().take(controls).map(|name| control(name)).collect();
        let page = page(&MonthReport { excluded, ..november() }, language);
        assert!(read(&page).contains(said) && !page.contains("<enforces>"), "{}", read(&page));
    }
    assert!(!page(&november(), Language::En).contains("leave out"));
}
