//! The one grammar of names that people write in configuration: tenants, rules, channels.

use std::fmt;

use super::characters::{self, is_hidden};

/// Longest name, in bytes; keeps keys, metrics and chat messages readable.
pub const NAME_BYTES_MAX: usize = 64;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// There is no character in it.
    Empty,
    /// It is longer than [`NAME_BYTES_MAX`].
    TooLong,
    /// It has a character other than `a-z`, `0-9`, `-`, `_` or `.`, or begins with one of the last three.
    BadCharacter(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name can't be empty"),
            Self::TooLong => write!(f, "a name has at most {NAME_BYTES_MAX} characters"),
            Self::BadCharacter(found) if is_hidden(*found) => {
                write!(f, "a name can't contain {}", characters::name(*found))
            }
            Self::BadCharacter(found @ ('-' | '_' | '.')) => write!(f, "a name can't begin with '{found}'"),
            Self::BadCharacter(found) => write!(f, "a name can't contain '{found}'"),
        }
    }
}

impl std::error::Error for NameError {}

/// Accepts `a-z`, `0-9`, and after the first character also `-`, `_` and `.`.
///
/// # Errors
/// [`NameError`] says which part of the grammar is broken.
pub fn check_name(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    let legal = |(index, letter): (usize, char)| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || (index > 0 && matches!(letter, '-' | '_' | '.'))
    };
    match text.char_indices().find(|&found| !legal(found)) {
        Some((_, letter)) => Err(NameError::BadCharacter(letter)),
        None => Ok(()),
    }
}

/// Declares a name that is shared cheaply and can't be mistaken for another kind of name.
macro_rules! name {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes a text that keeps to the grammar of names.
            ///
            /// # Errors
            /// [`NameError`](crate::domain::name::NameError) when it does not.
            pub fn parse(text: &str) -> Result<Self, $crate::domain::name::NameError> {
                $crate::domain::name::check_name(text)?;
                Ok(Self(text.into()))
            }

            /// The name as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use name;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_grammar() {
        for good in ["contoso", "a", "0-9", "a.b_c-d"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", NameError::Empty),
            ("-a", NameError::BadCharacter('-')),
            ("Contoso", NameError::BadCharacter('C')),
            ("a b", NameError::BadCharacter(' ')),
            ("a/b", NameError::BadCharacter('/')),
            (&"x".repeat(65), NameError::TooLong),
        ] {
            assert_eq!(check_name(bad), Err(why), "{bad}");
        }
    }
}
