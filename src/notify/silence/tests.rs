use std::time::Duration;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// Reads `tenant=contoso rule=low label=tier:gold score=secure-score severity=critical`.
fn matchers(text: &str) -> Matchers {
    let mut matchers = Matchers::default();
    for (key, value) in text.split_whitespace().map(|part| part.split_once('=').unwrap()) {
        match key {
            "tenant" => drop(matchers.tenants.insert(TenantId::parse(value).unwrap())),
            "rule" => drop(matchers.rules.insert(RuleName::parse(value).unwrap())),
            "score" => drop(matchers.scores.insert(ScoreKind::from_name(value).unwrap())),
            "severity" => {
                let named = |severity: &Severity| severity.as_str() == value;
                matchers.severities.insert(Severity::ALL.into_iter().find(named).unwrap());
            }
            _ => {
                let (key, value) = value.split_once(':').unwrap();
                matchers.labels.0.insert(key.into(), value.into());
            }
        }
    }
    matchers
}

fn silence(what: &str, from: i64, until: i64) -> Silence {
    let (author, comment) = ("ann".to_owned(), "patching".to_owned());
    Silence { id: SilenceId(1), matchers: matchers(what), starts_at: at(from), ends_at: at(until), author, comment }
}

#[test]
fn every_matcher_that_is_given_must_match() {
    let gold = labels(&[("tier", "gold"), ("country", "de")]);
    let score = Some(ScoreKind::DeviceSecureScore);
    let low = MatchTarget {
        tenant: "contoso",
        labels: &gold,
        rule: "low",
        score,
        severity: Severity::Warning,
        is_blindness: false,
    };
    let blind = MatchTarget { rule: "operator.blind", severity: Severity::Critical, is_blindness: true, ..low };
    for (text, covers_low, covers_blindness) in [
        ("", true, false),
        ("tenant=contoso", true, true),
        ("tenant=fabrikam", false, false),
        ("tenant=fabrikam tenant=contoso", true, true),
        ("label=tier:gold", true, true),
        ("label=tier:gold label=country:fr", false, false),
        ("rule=low", true, false),
        ("rule=drop", false, false),
        ("rule=operator.blind", false, false),
        ("rule=operator.blind tenant=contoso", false, true),
        ("score=device-secure-score", true, false),
        ("score=secure-score", false, false),
        ("severity=warning severity=info", true, false),
        ("severity=critical", false, false),
        ("tenant=contoso severity=critical", false, true),
        ("tenant=contoso rule=low score=device-secure-score severity=warning label=tier:gold", true, false),
        ("tenant=contoso rule=low score=secure-score", false, false),
    ] {
        let matchers = matchers(text);
        assert_eq!(matchers.is_empty(), text.is_empty());
        assert_eq!(matchers.match_all(&low), covers_low, "{text}");
        assert_eq!(matchers.match_all(&blind), covers_blindness, "{text}: we are blind");
    }
    let all = MatchTarget { score: None, ..low };
    for (text, covers) in [("rule=low", true), ("score=device-secure-score", false)] {
        assert_eq!(matchers(text).match_all(&all), covers, "{text}: all scores of the tenant");
    }
}

#[test]
fn a_silence_begins_with_its_first_instant_and_silences_that_overlap_end_with_the_last() {
    let none = Labels::new();
    let target = MatchTarget {
        tenant: "contoso",
        labels: &none,
        rule: "low",
        score: Some(ScoreKind::SecureScore),
        severity: Severity::Info,
        is_blindness: false,
    };
    let until = |silences: &[Silence], now: i64| covering(silences, &target, at(now));
    let one = [silence("tenant=contoso", 10, 20)];
    for (now, expected) in [(9, None), (10, Some(20)), (19, Some(20)), (20, None)] {
        assert_eq!(until(&one, now), expected.map(at), "{now}");
    }
    let several = [
        silence("tenant=contoso", 10, 20),
        silence("rule=low", 15, 30),
        silence("tenant=fabrikam", 0, 99),
        silence("", 30, 40),
        silence("rule=low", 41, 50),
    ];
    for (now, expected) in [(9, None), (10, Some(40)), (29, Some(40)), (40, None), (41, Some(50)), (50, None)] {
        assert_eq!(until(&several, now), expected.map(at), "{now}");
    }
}

#[test]
fn what_follows_without_end_is_looked_at_again_and_never_hangs() {
    let every_second = |now: Timestamp| Some(now.plus(Duration::from_secs(1)));
    assert_eq!(covered_until(at(0), every_second), Some(at(33)));
    assert_eq!(covered_until(at(9), |_| Some(at(9))), None, "an end that is not ahead covers nothing");
}

#[test]
fn all_mistakes_in_a_silence_are_reported_together() {
    let good = NewSilence {
        matchers: matchers("tenant=contoso"),
        starts_at: at(0),
        ends_at: at(100),
        author: "ann".into(),
        comment: "patching".into(),
    };
    assert!(good.problems(at(50), &Zone::utc()).is_empty());
    let bad = NewSilence { ends_at: at(-1), author: " ".into(), comment: "x".repeat(501), ..good.clone() };
    assert_eq!(bad.problems(at(0), &Zone::utc()).len(), 3, "{:?}", bad.problems(at(0), &Zone::utc()));
    assert_eq!(good.problems(at(100), &Zone::utc()), ["it is over already: it ended at 1970-01-01 00:01:40 UTC"]);
    let endless = NewSilence { ends_at: at(0).plus(DURATION_MAX).plus(Duration::from_secs(1)), ..good };
    assert_eq!(endless.problems(at(0), &Zone::utc()).len(), 1);
}

#[test]
fn matchers_read_as_a_sentence() {
    for (text, expected) in [
        ("", "everything"),
        (
            "label=tier:gold rule=low tenant=b tenant=a severity=info",
            "tenant a or b, rule low, severity info, tier=gold",
        ),
    ] {
        assert_eq!(matchers(text).to_string(), expected);
    }
}
