//! What was found of one thing, and what to do about it.

use serde::Serialize;

/// How something is, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// Nobody looked, or it can't be seen from here.
    Skipped,
    /// It works, and may not for much longer or not as well as it could.
    Warning,
    /// It does not work.
    Error,
}

impl Verdict {
    /// The word for it in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was found of one thing. No text contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `disk`.
    pub check: &'static str,
    /// How good or bad it is.
    pub verdict: Verdict,
    /// What was seen, as a sentence.
    pub what: String,
    /// What to do; null: nothing.
    pub instead: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, what: what.into(), instead: None }
    }

    pub(super) fn skipped(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, what: what.into(), instead: None }
    }

    pub(super) fn warning(check: &'static str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, what: what.into(), instead: Some(instead.into()) }
    }

    pub(super) fn error(check: &'static str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Error, what: what.into(), instead: Some(instead.into()) }
    }
}

/// A number with its noun in the right form: `1 tenant`, `2 tenants`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first few names of a list, and how many more there are.
pub(super) fn few<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN_MAX: usize = 3;
    let shown: Vec<_> = names.iter().take(SHOWN_MAX).map(|name| format!("`{}`", name.as_ref())).collect();
    let (shown, rest) = (shown.join(", "), names.len().saturating_sub(SHOWN_MAX));
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

/// A number of bytes as people say it: `1.5 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = bytes.saturating_mul(10) / 1024;
    for (index, unit) in UNITS.iter().enumerate() {
        if tenths < 10_240 || index + 1 == UNITS.len() {
            let (whole, tenth) = (tenths / 10, tenths % 10);
            return if whole >= 100 || tenth == 0 {
                format!("{whole} {unit}")
            } else {
                format!("{whole}.{tenth} {unit}")
            };
        }
        tenths /= 1024;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lists_are_short() {
        for (count, text) in
            [(0, "0 KiB"), (1_536, "1.5 KiB"), (64 << 20, "64 MiB"), (3 << 29, "1.5 GiB"), (1 << 50, "1 PiB")]
        {
            assert_eq!(bytes(count), text, "{count}");
        }
        assert_eq!(few(&["a"]), "`a`");
        assert_eq!(few(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
        assert_eq!((counted(1, "tenant"), counted(2, "tenant")), ("1 tenant".to_owned(), "2 tenants".to_owned()));
    }

    #[test]
    fn the_worst_verdict_is_the_greatest() {
        assert!(
            Verdict::Error > Verdict::Warning && Verdict::Warning > Verdict::Skipped && Verdict::Skipped > Verdict::Ok
        );
    }
}
