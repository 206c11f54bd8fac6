//! A token in fewer bytes, as there may be as many as tenants.
//!
//! What Entra grants is opaque, but it is text of three parts in base64url ("Access tokens in the Microsoft identity platform"), which take
//! a quarter less as bytes. A token of any other form is kept as it is.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};

/// How many parts there are, with a period between them.
const PARTS: usize = 3;
const SCHEME: &str = "Bearer ";

/// A token in fewer bytes.
pub(super) struct Compact {
    bytes: SecretBox<[u8]>,
    /// Where each part ends; `None`: the bytes are the text itself.
    ends: Option<[usize; PARTS]>,
}

impl Compact {
    pub(super) fn of(bearer: &SecretString) -> Self {
        let text = bearer.expose_secret();
        let parts = text.strip_prefix(SCHEME).and_then(|token| {
            let mut parts = token.split('.');
            let three = [parts.next()?, parts.next()?, parts.next()?];
            parts.next().is_none().then_some(three)
        });
        parts
            .and_then(decoded)
            // A part may be written in several ways, of which only one comes back.
            .filter(|compact| compact.bearer().expose_secret() == text)
            .unwrap_or_else(|| Self { bytes: SecretBox::new(text.as_bytes().into()), ends: None })
    }

    /// The text, exactly as it was.
    pub(super) fn bearer(&self) -> SecretString {
        let bytes = self.bytes.expose_secret();
        let Some(ends) = self.ends else { return SecretString::from(String::from_utf8_lossy(bytes).into_owned()) };
        // Text that grows leaves copies of itself behind, which nobody overwrites.
        let mut text = String::with_capacity(SCHEME.len() + PARTS * 4 + bytes.len().div_ceil(3) * 4);
        text.push_str(SCHEME);
        let mut begin = 0;
        for end in ends {
            if begin > 0 {
                text.push('.');
            }
            URL_SAFE_NO_PAD.encode_string(&bytes[begin..end], &mut text);
            begin = end;
        }
        SecretString::from(text)
    }
}

/// `None`: one of them is empty or no base64url.
fn decoded(parts: [&str; PARTS]) -> Option<Compact> {
    let lengths = parts.map(|part| part.len() * 3 / 4);
    let mut bytes: SecretBox<[u8]> = SecretBox::new(vec![0; lengths.iter().sum()].into());
    let (mut ends, mut begin) = ([0; PARTS], 0);
    for (index, part) in parts.into_iter().enumerate() {
        let end = begin + lengths[index];
        let written = URL_SAFE_NO_PAD.decode_slice(part, &mut bytes.expose_secret_mut()[begin..end]).ok()?;
        if written == 0 || written != lengths[index] {
            return None;
        }
        (ends[index], begin) = (end, end);
    }
    Some(Compact { bytes, ends: Some(ends) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(text: &str) -> (String, usize) {
        let compact = Compact::of(&SecretString::from(text));
        (compact.bearer().expose_secret().to_owned(), compact.bytes.expose_secret().len())
    }

    #[test]
    fn a_token_of_three_parts_takes_a_quarter_less() {
        let token = format!("Bearer eyJhbGciOiJSUzI1NiJ9.{}.{}", "eyJh".repeat(250), "c2ln".repeat(85));
        let (text, kept) = round(&token);
        assert_eq!(text, token);
        assert_eq!(kept, (20 + 1000 + 340) * 3 / 4);
    }

    #[test]
    fn what_would_not_come_back_the_same_is_kept_as_it_is() {
        for token in [
            "opaque",
            "a.b.c",
            "YQ.YQ.YQ.YQ",
            "YQ..YQ",
            ".YQ.YQ",
            "YQ.YQ.",
            "YQ.YQ",
            "YQ==.YQ.YQ",
            "YR.YQ.YQ",
            "Y Q.YQ.YQ",
            "+/.YQ.YQ",
        ] {
            let bearer = format!("Bearer {token}");
            assert_eq!(round(&bearer), (bearer.clone(), bearer.len()), "{token}");
        }
    }

    proptest! {
        #[test]
        fn every_token_comes_back(token in "[A-Za-z0-9_-]{0,9}(\\.[A-Za-z0-9_=+-]{0,9}){0,4}") {
            let bearer = format!("Bearer {token}");
            prop_assert_eq!(round(&bearer).0, bearer);
        }
    }
}
