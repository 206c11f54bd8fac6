//! Names from outside that become subjects.

use serde_json::Value;

use crate::domain::{Subject, characters};

/// The longest subject; a longer one is cut. Names of device groups and categories have some twenty letters.
const LETTERS_MAX: usize = 120;

/// The text on one line, without what no name holds; `None`: nothing is left, or it is not text.
pub(super) fn line(raw: &Value) -> Option<String> {
    let text = match raw {
        Value::String(text) => text.as_str(),
        Value::Number(number) => return Some(number.to_string()),
        _ => return None,
    };
    let visible = characters::cleaned(text);
    let cut: String = visible.trim().chars().take(LETTERS_MAX).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

pub(super) fn subject(text: &str) -> Subject {
    Subject(text.into())
}
