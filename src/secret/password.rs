//! Passwords of people, and random secrets that stand for them.
//!
//! A password is kept as an argon2id hash only. Hashing takes memory and time by design, so it runs on a thread for blocking work, and
//! only a few at a time: whoever signs in often slows down nobody but others who sign in.

use std::{sync::LazyLock, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// Parameters of the OWASP "Password Storage Cheat Sheet": 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes that are computed at a time.
const AT_A_TIME: usize = 2;
/// How long one waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

/// Fewest characters of a password (NIST SP 800-63B-4, section 3.1.1: 15 where it is the only factor).
pub const PASSWORD_CHARACTERS_MIN: usize = 15;
/// Most bytes of a password.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Random bytes of a secret that we draw: 256 bits.
const SECRET_BYTES: usize = 32;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);

/// Why a password could not be hashed or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many others are hashed at the same time.
    #[error("too many passwords are being checked; try again in a moment")]
    Busy,
    /// The machine has too little memory, or the stored hash can't be read.
    #[error("the password could not be checked")]
    Failed,
}

/// The fewest different characters of a password.
const DIFFERENT_MIN: usize = 5;
/// A name of at least as many letters is no part of a password, even inside a word; short ones are parts of many words.
const NAME_PART_MIN: usize = 4;

/// Says what is wrong with a password that somebody chooses; `None`: nothing.
#[must_use]
pub fn weakness(password: &SecretString, name: &str) -> Option<String> {
    let text = password.expose_secret();
    if text.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Some(format!("a password has at least {PASSWORD_CHARACTERS_MIN} characters"));
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return Some(format!("a password has at most {PASSWORD_BYTES_MAX} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Some("a password can't contain control characters".to_owned());
    }
    let different = text.chars().collect::<std::collections::BTreeSet<_>>().len();
    if different < DIFFERENT_MIN {
        return Some(format!(
            "the password is too easy to guess: it has fewer than {DIFFERENT_MIN} different characters"
        ));
    }
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_word = |name: &str| text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == name);
    if is_word(&name) || (name.chars().count() >= NAME_PART_MIN && text.contains(&name)) {
        return Some("the password is too easy to guess: the account's name is a part of it".to_owned());
    }
    None
}

/// The argon2id hash of a password with a new salt, as a PHC string.
///
/// # Errors
/// [`PasswordError`].
pub async fn hash(password: SecretString) -> Result<String, PasswordError> {
    in_turn(move || hash_now(&password)).await
}

/// Whether a password has that hash. Without a hash it takes as long and is `false`: nobody learns whether there is one.
///
/// # Errors
/// [`PasswordError`].
pub async fn matches(password: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
    in_turn(move || {
        // Touched in any case, because the first use computes it.
        let nobody = NOBODY.clone()?;
        let known = hash.is_some();
        let hash = hash.unwrap_or(nobody);
        let verified = argon2()?.verify_password(password.expose_secret().as_bytes(), hash.as_str());
        Ok(verified.is_ok() && known)
    })
    .await
}

/// The hash of a password that nobody has.
static NOBODY: LazyLock<Result<String, PasswordError>> = LazyLock::new(|| hash_now(&random()));

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &SecretString) -> Result<String, PasswordError> {
    let salt: [u8; 16] = rand::random();
    let hash = argon2()?.hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Failed)
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let turn = tokio::time::timeout(TURN_MAX, TURNS.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(PasswordError::Busy) };
    let done = tokio::task::spawn_blocking(move || {
        // It keeps its turn even if nobody waits for it any more.
        let _turn = turn;
        work()
    });
    done.await.unwrap_or(Err(PasswordError::Failed))
}

/// A secret of 256 random bits, in letters that need no escaping anywhere.
#[must_use]
pub fn random() -> SecretString {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_an_absent_hash_by_nothing() {
        let password = || SecretString::from("correct horse battery");
        let stored = hash(password()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(hash(password()).await.unwrap(), stored, "each has a salt of its own");
        assert_eq!(matches(password(), Some(stored.clone())).await, Ok(true));
        assert_eq!(matches("correct horse".into(), Some(stored)).await, Ok(false));
        assert_eq!(matches(password(), None).await, Ok(false));
        assert_eq!(matches(password(), Some("no hash".to_owned())).await, Ok(false));
    }

    #[test]
    fn weak_passwords_are_named_as_such() {
        for (password, is_weak) in [
            ("short", true),
            ("correct horse battery", false),
            ("aaaaaaaaaaaaaaaaaaaa", true),
            ("ann-ann-1234567890", true),
            ("correct\u{7}horse battery", true),
        ] {
            assert_eq!(weakness(&password.into(), "ann").is_some(), is_weak, "{password}");
        }
        assert!(weakness(&"x1y2z".repeat(300).into(), "ann").is_some());
        for (password, name, why) in [
            ("fabrikam it lead pass", "fab", None),
            ("the annual planning horse", "ann", None),
            ("my fab passphrase", "fab", Some("the account's name")),
            ("fabrikamfabrikam99", "fabrikam", Some("the account's name")),
            ("abababababababab", "fabrikam", Some("fewer than 5 different")),
        ] {
            let found = weakness(&password.into(), name);
            assert_eq!(found.is_some(), why.is_some(), "{password}: {found:?}");
            assert!(why.is_none_or(|why| found.clone().unwrap().contains(why)), "{password}: {found:?}");
        }
    }

    #[test]
    fn secrets_are_drawn_and_do_not_show() {
        let (first, second) = (random(), random());
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 43);
        assert!(!format!("{first:?}").contains(first.expose_secret()));
    }
}
