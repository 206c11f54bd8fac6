//! One function for each parser of what comes from outside: feeds it, and holds what it says to its laws. Shared with `fuzz/`.
#![allow(dead_code, reason = "a fuzz target uses one of them")]

use std::{path::Path, time::Duration};

use scorewatch::{
    channel,
    config::{self, import},
    domain::{ScoreKind, Subject, Timestamp, characters::is_hidden},
    egress::retry_after,
    microsoft::untrusted::{self, Taken},
    notify::language::Locale,
    schedule::{Schedule, Zone},
    template::sample,
};

/// Longest sentence that anything from outside may bring about.
const SENTENCE_BYTES_MAX: usize = 1_000;

/// Readings are finite and each is there once; sentences are short and hold no control character.
fn hold(taken: &Taken) {
    match taken {
        Taken::Token(life) => assert!(*life > Duration::ZERO && *life <= Duration::from_hours(24)),
        Taken::Failure(_, what) => {
            assert!(what.len() <= SENTENCE_BYTES_MAX && !what.chars().any(char::is_control), "{what:?}");
        }
        Taken::Readings(readings) => {
            for reading in readings {
                assert!(reading.score.range().contains(&reading.sample.value), "{reading:?}");
                let subject = reading.subject.as_ref().map(Subject::as_str);
                assert!(
                    subject.is_none_or(|subject| !subject.is_empty() && !subject.chars().any(is_hidden)),
                    "{reading:?}"
                );
            }
        }
    }
}

pub(crate) fn token(bytes: &[u8]) {
    hold(&untrusted::sign_in(200, bytes));
}

pub(crate) fn entra_refusal(bytes: &[u8]) {
    for status in [302, 400, 401, 429, 503] {
        let taken = untrusted::sign_in(status, bytes);
        assert!(matches!(taken, Taken::Failure(..)));
        hold(&taken);
    }
}

pub(crate) fn call_refusal(bytes: &[u8]) {
    for status in [206, 302, 400, 401, 403, 404, 429, 500] {
        let taken = untrusted::refused_call(status, bytes);
        assert!(matches!(taken, Taken::Failure(..)));
        hold(&taken);
    }
}

pub(crate) fn single_score(bytes: &[u8]) {
    for score in [ScoreKind::DeviceSecureScore, ScoreKind::ExposureScore] {
        let taken = untrusted::page(score, bytes);
        hold(&taken);
        let Taken::Readings(readings) = taken else { continue };
        assert_eq!(readings.len(), 1);
        // Missing is never zero: a value that was read stands in the answer.
        // A field that is not examined may hold what this decoder refuses: `1e999`, bytes that are not UTF-8.
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { continue };
        assert!(json["score"].is_number() || json["score"].is_string(), "{json}");
    }
}

pub(crate) fn groups(bytes: &[u8]) {
    hold(&untrusted::page(ScoreKind::ExposureScoreByGroup, bytes));
}

pub(crate) fn secure_scores(bytes: &[u8]) {
    let taken = untrusted::page(ScoreKind::SecureScore, bytes);
    hold(&taken);
    if let Taken::Readings(readings) = taken {
        assert!(readings.iter().filter(|reading| reading.score == ScoreKind::SecureScore).count() <= 90);
        assert!(readings.iter().all(|reading| reading.sample.value >= 0.0));
    }
}

pub(crate) fn retry_after(bytes: &[u8]) {
    let max = Duration::from_hours(1);
    let text = String::from_utf8_lossy(bytes);
    assert!(retry_after::parse(&text, Timestamp::from_seconds(1_790_000_000), max).is_none_or(|wait| wait <= max));
}

pub(crate) fn cron(bytes: &[u8]) {
    let now = Timestamp::from_seconds(1_790_000_000);
    if let Ok(schedule) = Schedule::parse(&String::from_utf8_lossy(bytes), Zone::built_in("Europe/Berlin").unwrap()) {
        assert!(schedule.next_due(now, Duration::ZERO).is_none_or(|next| next > now));
    }
}

pub(crate) fn sheet(bytes: &[u8]) {
    let mut problems = Vec::new();
    let sheet = import::read_sheet(Path::new("list.csv"), bytes, &mut problems);
    assert!(sheet.is_some() || !problems.is_empty(), "refused without a word");
    assert!(sheet.is_none_or(|sheet| sheet.len() <= import::ROWS_MAX));
    // As a heading: whatever it is, it is a column or none.
    let heading = [b"label:".as_slice(), bytes].concat();
    let _ = import::read_sheet(Path::new("list.csv"), &heading, &mut Vec::new());
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for problem in problems {
        assert!((1..=lines).contains(&problem.place.line) && problem.place.column > 0, "{problem:?}");
        assert!(problem.what.len() <= SENTENCE_BYTES_MAX);
    }
}

pub(crate) fn config(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scorewatch.yaml");
    std::fs::write(&file, bytes).unwrap();
    let loaded = config::load(&file);
    assert!(loaded.config.is_some() || !loaded.problems.is_empty(), "refused without a word");
}

/// Bodies that any receiver takes are smaller than this; what a template writes is capped long before.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(crate) fn template(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.hbs"), bytes).unwrap();
    let registry = match channel::templates(Some(folder.path())) {
        Ok(registry) => registry,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a word");
            return;
        }
    };
    for dialect in channel::dialects().into_iter().filter(|dialect| registry.suits("own", dialect)) {
        for notification in sample::all() {
            let body = registry.render("own", dialect, &notification, &Locale::default());
            let body = body.unwrap_or_else(|why| panic!("it was tried on this very sample, and fails: {why}"));
            assert!(body.len() <= BODY_BYTES_MAX, "{} bytes for {}", body.len(), dialect.name);
        }
    }
}
