//! The scores of Microsoft Defender for Endpoint: where they are asked for, and how their answers are read. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::{Failure, FailureClass, is_object};
use crate::domain::{Reading, Sample, ScoreKind, Timestamp};

/// The most bytes that an answer may have; a real one has some 200.
pub(super) const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The path of the score, in the API's newest version; `None` for what Defender does not give or we do not read.
///
/// Sources: "Get device secure score" and "Get exposure score" (Defender for Endpoint API); role `Score.Read.All` for both.
pub(super) const fn path(score: ScoreKind) -> Option<&'static str> {
    match score {
        ScoreKind::DeviceSecureScore => Some("/api/configurationScore"),
        ScoreKind::ExposureScore => Some("/api/exposureScore"),
        ScoreKind::ExposureScoreByGroup | ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => None,
    }
}

/// Both scores have this shape. `@odata.context` is ignored: its host may be another than the one that was called.
#[derive(Deserialize)]
struct Score {
    /// The time of the call, not of the computation ("Score resource type").
    #[serde(default)]
    time: Value,
    #[serde(default)]
    score: Value,
}

/// Reads the body of a 200.
///
/// # Errors
/// [`FailureClass::NoData`] when it holds no value, [`FailureClass::Garbage`] when it can't be trusted.
pub(super) fn read(score: ScoreKind, body: &[u8]) -> Result<Reading, Failure> {
    let garbage = |what: &'static str| Failure::new(FailureClass::Garbage, what);
    if !is_object(body) {
        return Err(garbage("the API's answer is no JSON object"));
    }
    let raw: Score = serde_json::from_slice(body).map_err(|_| garbage("the API's answer can't be read"))?;
    let value = value(&raw.score)?;
    let at =
        raw.time.as_str().and_then(Timestamp::parse).ok_or_else(|| garbage("the API's answer has no valid time"))?;
    Ok(Reading { score, subject: None, sample: Sample { at, value } })
}

/// A number, or one in quotes. Missing is never zero.
fn value(raw: &Value) -> Result<f64, Failure> {
    let no_data = || Failure::new(FailureClass::NoData, "the API's answer holds no value");
    let garbage = || Failure::new(FailureClass::Garbage, "the API's answer holds a value that is no number");
    let value = match raw {
        Value::Null => return Err(no_data()),
        Value::Number(number) => number.as_f64().ok_or_else(garbage)?,
        Value::String(text) if text.trim().is_empty() => return Err(no_data()),
        Value::String(text) => text.trim().parse().map_err(|_| garbage())?,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(garbage()),
    };
    if value.is_nan() {
        Err(no_data())
    } else if value.is_finite() {
        // `-0` is written as `-0` otherwise.
        Ok(value + 0.0)
    } else {
        Err(garbage())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class_of(body: &str) -> Result<f64, FailureClass> {
        match read(ScoreKind::DeviceSecureScore, body.as_bytes()) {
            Ok(reading) => Ok(reading.sample.value),
            Err(failure) => Err(failure.class),
        }
    }

    #[test]
    fn microsofts_own_example_is_read_exactly() {
        let body =
            br#"{"@odata.context":"https://api.securitycenter.microsoft.com/api/$metadata#ConfigurationScore/$entity",
            "time":"2019-12-03T09:15:58.1665846Z","score":340}"#;
        let reading = read(ScoreKind::DeviceSecureScore, body).unwrap();
        assert_eq!(reading.score, ScoreKind::DeviceSecureScore);
        assert_eq!(reading.subject, None);
        assert_eq!(reading.sample.at, Timestamp::from_nanos(1_575_364_558_166_584_600));
        assert_eq!(reading.sample.value.to_bits(), 340_f64.to_bits());
    }

    #[test]
    fn missing_is_never_zero_and_garbage_is_never_a_value() {
        use FailureClass::{Garbage, NoData};
        let with = |score: &str| format!(r#"{{"time":"2026-01-02T03:04:05Z","score":{score}}}"#);
        for (score, expected) in [
            ("340", Ok(340.0)),
            ("0", Ok(0.0)),
            ("33.491554051195706", Ok(33.491_554_051_195_706)),
            ("-1", Ok(-1.0)),
            (r#""822.0""#, Ok(822.0)),
            (r#"" 7 ""#, Ok(7.0)),
            ("null", Err(NoData)),
            (r#""""#, Err(NoData)),
            (r#"" ""#, Err(NoData)),
            (r#""NaN""#, Err(NoData)),
            (r#""nan""#, Err(NoData)),
            (r#""Infinity""#, Err(Garbage)),
            (r#""1e999""#, Err(Garbage)),
            (r#""n/a""#, Err(Garbage)),
            ("1e999", Err(Garbage)),
            ("NaN", Err(Garbage)),
            ("true", Err(Garbage)),
            ("[340]", Err(Garbage)),
            (r#"{"value":340}"#, Err(Garbage)),
        ] {
            assert_eq!(class_of(&with(score)), expected, "{score}");
        }
        for (body, expected) in [
            (r#"{"time":"2026-01-02T03:04:05Z"}"#, Err(NoData)),
            ("{}", Err(NoData)),
            (r#"{"score":340}"#, Err(Garbage)),
            (r#"{"time":"yesterday","score":340}"#, Err(Garbage)),
            (r#"{"time":1575364558,"score":340}"#, Err(Garbage)),
            (r#"{"time":null,"score":340}"#, Err(Garbage)),
            (r#"{"time":"2026-01-02T03:04:05Z","score":1,"score":2}"#, Err(Garbage)),
            (r#"{"time":"2026-01-02T03:04:05Z","score":1,"new":{"deep":[1,2]}}"#, Ok(1.0)),
            (r#"["2026-01-02T03:04:05Z",340]"#, Err(Garbage)),
            ("340", Err(Garbage)),
            ("null", Err(Garbage)),
            ("", Err(Garbage)),
            ("<html>Service Unavailable</html>", Err(Garbage)),
            (r#"{"time":"2026-01-02T03:04:05Z","score":34"#, Err(Garbage)),
        ] {
            assert_eq!(class_of(body), expected, "{body}");
        }
    }

    #[test]
    fn an_absurdly_nested_answer_is_garbage() {
        let body = format!(r#"{{"score":1,"x":{}"#, "[".repeat(100_000));
        assert_eq!(class_of(&body), Err(FailureClass::Garbage));
    }

    proptest! {
        #[test]
        fn a_number_of_up_to_fifteen_digits_is_kept_to_the_last_bit(digits in -999_999_999_999_999_i64..999_999_999_999_999, scale in 0_usize..16) {
            let number = format!("{digits}e-{scale}");
            let body = format!(r#"{{"time":"2026-01-02T03:04:05Z","score":{number}}}"#);
            let expected: f64 = number.parse().unwrap();
            prop_assert_eq!(class_of(&body).map(f64::to_bits), Ok((expected + 0.0).to_bits()));
        }

        #[test]
        fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(ScoreKind::ExposureScore, &body);
        }
    }
}
