//! The `Retry-After` header: whole seconds or a date (RFC 9110, 10.2.3), and the decimals that Microsoft Graph sends
//! ("Microsoft Graph throttling guidance" shows `2.128`).

use std::time::Duration;

use crate::domain::Timestamp;

/// How long the sender of that header asks us to wait, counted from `now`, never more than `max`. A date in the past is zero;
/// `None`: no such value.
#[must_use]
pub fn parse(value: &str, now: Timestamp, max: Duration) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if value.starts_with(|first: char| first.is_ascii_digit()) {
        return seconds(value).map(|wait| wait.min(max));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let date = Timestamp::EPOCH.plus(date.duration_since(std::time::UNIX_EPOCH).ok()?);
    Some(date.since(now).min(max))
}

/// `120` or `2.128`; more than a duration can hold counts as the longest.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let Ok(whole) = whole.parse::<u64>() else { return Some(Duration::MAX) };
    // Digits after the ninth are below a nanosecond.
    let nanos: u32 = format!("{fraction:0<9.9}").parse().ok()?;
    Some(Duration::new(whole, nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: Duration = Duration::from_hours(1);

    fn noon() -> Timestamp {
        Timestamp::parse("2026-10-21T12:00:00Z").unwrap()
    }

    #[test]
    fn every_form_in_use_is_understood() {
        for (value, milliseconds) in [
            ("7", Some(7_000)),
            (" 7 ", Some(7_000)),
            ("0", Some(0)),
            ("2.128", Some(2_128)),
            ("2.1280000000000001", Some(2_128)),
            ("0.5", Some(500)),
            ("86400", Some(3_600_000)),
            ("99999999999999999999999", Some(3_600_000)),
            ("Wed, 21 Oct 2026 12:00:30 GMT", Some(30_000)),
            ("Wednesday, 21-Oct-26 12:00:30 GMT", Some(30_000)),
            ("Wed, 21 Oct 2026 11:00:00 GMT", Some(0)),
            ("Fri, 21 Oct 2033 07:28:00 GMT", Some(3_600_000)),
            ("-5", None),
            ("+5", None),
            ("1e3", None),
            ("5s", None),
            ("2.", None),
            (".5", None),
            ("1.2.3", None),
            ("", None),
            ("soon", None),
            ("\u{661}", None),
        ] {
            assert_eq!(parse(value, noon(), MAX), milliseconds.map(Duration::from_millis), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_never_exceeds_the_cap(value in "\\PC{0,40}") {
            prop_assert!(parse(&value, noon(), MAX).is_none_or(|wait| wait <= MAX));
        }

        #[test]
        fn a_number_of_seconds_means_itself(seconds in 0_u64..3600, millis in 0_u64..1000) {
            let wait = Duration::from_millis(seconds * 1000 + millis).min(MAX);
            prop_assert_eq!(parse(&format!("{seconds}.{millis:03}"), noon(), MAX), Some(wait));
        }

        #[test]
        fn a_date_means_the_time_until_then(offset in -7200_i64..7200) {
            let then = Timestamp::from_seconds(noon().as_seconds() + offset).to_chrono();
            let value = then.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let wait = Duration::from_secs(u64::try_from(offset).unwrap_or(0)).min(MAX);
            prop_assert_eq!(parse(&value, noon(), MAX), Some(wait));
        }
    }
}
