//! Cursors as text. They name the last item of a page; whoever makes one up sees nothing but another part of their own list.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// Longest cursor that is read, in bytes.
const BYTES_MAX: usize = 2_000;

/// Writes the place after which the next page begins, opaque to clients.
pub(super) fn write(cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// Reads a cursor; `None`: it is not one of this list.
pub(super) fn read<C: DeserializeOwned>(text: &str) -> Option<C> {
    let bytes = Some(text).filter(|text| text.len() <= BYTES_MAX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        let cursor = ("contoso".to_owned(), 7);
        assert_eq!(read(&write(&cursor)), Some(cursor));
        for other in ["", "%", "contoso", &write(&7), &"A".repeat(BYTES_MAX + 1)] {
            assert_eq!(read::<(String, u32)>(other), None, "{other}");
        }
    }
}
