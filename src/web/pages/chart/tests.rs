//! What is drawn.

use super::*;
use crate::{
    domain::{ScoreKind, Severity, Subject, Unit},
    query::samples::{AlertSpan, Gap, Level, ShiftMark, SilenceSpan},
    schedule::Zone,
};

fn at(hour: i64) -> Timestamp {
    Timestamp::from_seconds(hour * 3_600)
}

/// A drop after ten hours of forty, with everything that can be drawn beside it.
fn window() -> SeriesWindow {
    let value = |hour: i64| if hour < 10 { 548.0 } else { 486.0 };
    let span = |from: i64, until: i64| SilenceSpan { silence: Some(1), about: None, from: at(from), until: at(until) };
    let level = |kind, value| Level { rule: "low".to_owned(), severity: Severity::Warning, kind, value };
    SeriesWindow {
        score: ScoreKind::DeviceSecureScore,
        subject: Some(Subject("<b>&\u{202E}".into())),
        unit: Unit::Points,
        from: at(0),
        until: at(40),
        samples: 20,
        points: (0..41)
            .filter(|hour| !(20..30).contains(hour))
            .map(|hour| Sample { at: at(hour), value: value(hour) })
            .collect(),
        levels: vec![
            level(LevelKind::Below, 500.0),
            level(LevelKind::Baseline, 548.0),
            level(LevelKind::Above, 9_000.0),
        ],
        alerts: vec![AlertSpan {
            id: "alert_X".to_owned(),
            short_id: "X".to_owned(),
            rule: "drop".to_owned(),
            severity: Severity::Critical,
            state: "firing",
            from: at(10),
            until: None,
        }],
        silences: vec![span(12, 14)],
        shifts: vec![ShiftMark { shift: "s".to_owned(), at: at(30), by: Amount::Percent(-3.0), is_outlier: false }],
        gaps: vec![Gap { from: at(19), until: at(30), kind: GapKind::NoData }],
    }
}

fn face() -> Clockface {
    Clockface { zone: Zone::utc(), now: at(40) }
}

#[test]
fn a_drop_is_drawn_with_what_belongs_to_it() {
    for frame in [WIDE, NARROW] {
        let svg = draw(&window(), &face(), &Scope::All, frame);
        for part in
            ["band gap", "strip silence", "strip critical", "level warning", "level baseline", "shift-mark", "bridge"]
        {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains("9000"), "a level far away would flatten the line");
        assert!(svg.contains("Device secure score: &lt;b&gt;&amp;\\u{202e} from 1970-01-01 00:00 UTC"), "{svg}");
        assert!(!svg.contains("<b>") && !svg.contains("style="));
        let line = svg.split("class=\"line\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(line.matches('M').count(), 2, "the line is broken where nothing was read: {line}");
    }
}

#[test]
fn what_is_drawn_is_said_too() {
    let view = view(&window(), &face(), &Scope::All);
    let notes = view["notes"].to_string();
    for said in ["critical alert drop, since", "Fleet shift −3%", "by whoever runs Scorewatch", "no data"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    assert_eq!((view["value"].as_str(), view["change"]["class"].as_str()), (Some("486"), Some("worse")));
    assert!(view["rows"].as_array().unwrap().len() <= ROWS_MAX + 1);
    let empty = SeriesWindow { points: Vec::new(), ..window() };
    assert!(draw(&empty, &face(), &Scope::All, WIDE).contains("no readings"));
}

#[test]
fn whoever_sees_some_tenants_reads_nothing_of_others_at_a_shift() {
    let few = Scope::only(std::collections::BTreeSet::new());
    for (scope, is_fleet) in [(&Scope::All, true), (&few, false)] {
        let said = view(&window(), &face(), scope).to_string();
        assert_eq!(said.to_lowercase().contains("fleet"), is_fleet, "{said}");
        assert_eq!(said.contains("Shift of the score −3%"), !is_fleet, "{said}");
    }
}
