//! Whether a text can be a client secret of an Entra app. Nothing of it is repeated.

use uuid::Uuid;

use crate::domain::Complaint;

/// Shortest secret that Entra has ever made, in characters; those of today have 40.
const CHARACTERS_MIN: usize = 16;
/// No secret that Entra makes is longer, in characters.
const CHARACTERS_MAX: usize = 128;
/// A secret has at least that many different characters.
const DIFFERENT_MIN: usize = 5;
/// Quotation marks that were copied with a secret.
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '„', '‘', '’'];
/// Parts of the names of variables that hold a secret.
const NAMES: [&str; 5] = ["secret", "password", "value", "key", "token"];

/// Whether a text is a GUID, as the ID of a secret is.
pub(super) fn is_id(text: &str) -> bool {
    Uuid::parse_str(text.trim()).is_ok()
}

/// Why a text can't be a client secret, as what "it" does, and what to do. `None`: it can be one.
pub(super) fn doubt(text: &str) -> Option<Complaint> {
    let text = text.trim();
    let length = text.chars().count();
    let different = text.chars().collect::<std::collections::BTreeSet<_>>().len();
    let complain = |what: &str, instead: &str| Some(Complaint::new(what, instead));
    if text.starts_with(QUOTES) && text.ends_with(QUOTES) {
        complain("has quotation marks around the secret", "delete the quotation marks")
    } else if has_name(text) {
        complain("begins with a name, like `CLIENT_SECRET=`", "store the secret alone, without a name before it")
    } else if (text.starts_with('<') && text.ends_with('>')) || text.contains(char::is_whitespace) {
        complain("looks like a placeholder, not like a secret", "store the secret's value, which Entra shows only once")
    } else if length < CHARACTERS_MIN {
        let characters = if length == 1 { "1 character".to_owned() } else { format!("{length} characters") };
        complain(&format!("has only {characters}, and a client secret has about 40"), "copy the secret's value again")
    } else if length > CHARACTERS_MAX {
        complain(&format!("has {length} characters, and a client secret has about 40"), "copy the secret's value again")
    } else if different < DIFFERENT_MIN {
        complain("looks like a placeholder, not like a secret", "store the secret's value, which Entra shows only once")
    } else {
        None
    }
}

/// Whether a name of a variable precedes the secret. Secrets may contain `=` themselves.
fn has_name(text: &str) -> bool {
    let Some((name, rest)) = text.split_once(['=', ':']) else { return false };
    let name = name.trim_end().to_ascii_lowercase();
    let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '$' | ' '));
    is_word && NAMES.iter().any(|part| name.contains(part)) && rest.chars().any(|letter| letter != '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_a_client_secret_is_named() {
        let secret = "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456.-_a";
        for (text, what) in [
            (format!("\"{secret}\""), "has quotation marks"),
            (format!("CLIENT_SECRET={secret}"), "begins with a name"),
            (format!("client_secret: {secret}"), "begins with a name"),
            ("<client secret>".to_owned(), "looks like a placeholder"),
            ("your client secret here".to_owned(), "looks like a placeholder"),
            ("x".to_owned(), "has only 1 character,"),
            ("a".repeat(300), "has 300 characters"),
            ("x".repeat(40), "looks like a placeholder"),
        ] {
            let said = doubt(&text).unwrap();
            assert!(said.what.starts_with(what), "{text}: {said:?}");
            assert!(text.len() == 1 || !said.to_string().contains(&text), "{said:?}");
        }
        // Older ones are shorter or longer, and may have signs in them.
        for good in [
            secret,
            "8Q~abcDEF.0123456789-abcdefghijklmnop~_",
            "k=9[Zr@4:yQx?TvB1nM7/pL2sWd8fG0h",
            "uG3lQkz1ZbWQ9Yw0nVt6hS8rXc2mPo4aEi5dJfK7LB8=",
        ] {
            assert_eq!(doubt(good), None, "{good}");
        }
    }
}
