//! A score as Defender writes it, and as it should not.

use std::fmt::Write;

use crate::domain::{ScoreKind, Timestamp};

/// What stands under `score`.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreValue {
    /// A number; a whole one is written without a decimal point, as in Microsoft's sample. One that JSON has no form for is written as text.
    Number(f64),
    /// A string, numeric or not.
    Text(String),
    /// The score is `null`.
    Null,
    /// The field is missing.
    Absent,
    /// These characters, valid JSON or not: a bare `NaN`, `1e999`.
    Literal(String),
}

impl From<f64> for ScoreValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl ScoreValue {
    /// Writes `,"score":…`, or nothing at all.
    fn write_field(&self, json: &mut String) {
        // Writing to a string can't fail.
        let _ = match self {
            Self::Number(number) if number.is_finite() => write!(json, r#","score":{number}"#),
            Self::Number(number) => write!(json, r#","score":"{number}""#),
            Self::Text(text) => write!(json, r#","score":{}"#, serde_json::Value::from(text.as_str())),
            Self::Null => write!(json, r#","score":null"#),
            Self::Absent => Ok(()),
            Self::Literal(literal) => write!(json, r#","score":{literal}"#),
        };
    }
}

/// A score's answer. The host in `@odata.context` is another than the one called, as it was in the field ("Get device secure score", 2020).
pub(super) fn score_json(kind: ScoreKind, value: &ScoreValue, now: Timestamp, fraction_digits: u8) -> String {
    let entity = if kind == ScoreKind::ExposureScore { "ExposureScore" } else { "ConfigurationScore" };
    let mut json = String::with_capacity(192);
    let _ = write!(
        json,
        r#"{{"@odata.context":"https://api-us.securitycenter.windows.com/api/$metadata#{entity}/$entity","time":""#
    );
    write_time(&mut json, now, fraction_digits);
    json.push('"');
    value.write_field(&mut json);
    json.push('}');
    json
}

/// RFC 3339 with exactly that many fraction digits, at most 7.
fn write_time(json: &mut String, at: Timestamp, fraction_digits: u8) {
    let seconds = at.to_chrono().format("%Y-%m-%dT%H:%M:%S");
    let _ = write!(json, "{seconds}");
    let digits = usize::from(fraction_digits.min(7));
    if digits > 0 {
        let ticks = at.as_nanos().rem_euclid(1_000_000_000) / 100;
        let all = format!("{ticks:07}");
        json.push('.');
        json.push_str(&all[..digits]);
    }
    json.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_score_is_written_as_asked() {
        let at = Timestamp::parse("2026-11-23T09:15:58.1665846Z").unwrap();
        for (value, digits, tail) in [
            (ScoreValue::Number(340.0), 7, r#""time":"2026-11-23T09:15:58.1665846Z","score":340}"#),
            (
                ScoreValue::Number(33.491_554_051_195_706),
                6,
                r#""time":"2026-11-23T09:15:58.166584Z","score":33.491554051195706}"#,
            ),
            (ScoreValue::Number(0.0), 0, r#""time":"2026-11-23T09:15:58Z","score":0}"#),
            (ScoreValue::Number(f64::NAN), 1, r#""time":"2026-11-23T09:15:58.1Z","score":"NaN"}"#),
            (ScoreValue::Text("822.0".to_owned()), 0, r#","score":"822.0"}"#),
            (ScoreValue::Null, 0, r#","score":null}"#),
            (ScoreValue::Absent, 0, r#""time":"2026-11-23T09:15:58Z"}"#),
            (ScoreValue::Literal("NaN".to_owned()), 0, r#","score":NaN}"#),
        ] {
            let json = score_json(ScoreKind::DeviceSecureScore, &value, at, digits);
            assert!(json.ends_with(tail), "{json}");
        }
    }
}
