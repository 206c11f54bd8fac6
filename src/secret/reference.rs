//! Where a secret is kept, and how it is read.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretSlice, SecretString};

pub use super::fault::{SECRET_BYTES_MAX, too_large};
use super::{
    Stored,
    fault::{Fault, too_large_fault},
    passed_on, reader,
    redact::echo,
};
use crate::domain::{Clause, Timestamp};

/// What Windows' editors write before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// How a text in UTF-16 begins.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Where systemd puts a unit's credentials ("Credentials", systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret is kept: `{ env: NAME }`, `{ file: PATH }`, `{ credential: NAME }` (systemd's `$CREDENTIALS_DIRECTORY`), or where
/// it has to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretReference {
    /// The environment variable of this name.
    Env(String),
    /// A file; a byte order mark and trailing line breaks are cut.
    File(PathBuf),
    /// A systemd credential by name.
    Credential(String),
    /// Behind a program or a store on the network; [`SecretReference::fetch`] asks there.
    Stored(Stored),
}

/// Why a secret can't be had. Says where it was looked for, never what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct SecretError {
    /// Where: `environment variable CONTOSO_SECRET`, `file secrets/contoso`.
    pub place: String,
    /// What is wrong: `is not set`, `is empty`, `can't be read: permission denied`.
    pub what: String,
    /// What to do, as one imperative sentence.
    pub hint: String,
}

impl SecretReference {
    /// Reads the secret again, so that a changed file is used without a restart. Of one that a store keeps, what the last
    /// [`SecretReference::fetch`] brought.
    ///
    /// Waits for a disk on this thread, for [`reader::READ_WITHIN`] at most: not for the runtime's own threads.
    ///
    /// # Errors
    /// [`SecretError`] when it is missing, unreadable, empty, not UTF-8 or larger than 64 KiB.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        self.kept(reader::read_here).and_then(text).map_err(|fault| self.error(fault))
    }

    /// The same of what need not be text: a file as it is. What is kept as text is given as its bytes.
    ///
    /// # Errors
    /// [`SecretError`] when it is missing, unreadable, empty or larger than 64 KiB.
    pub fn resolve_bytes(&self) -> Result<SecretSlice<u8>, SecretError> {
        self.kept(reader::read_here).and_then(bytes).map_err(|fault| self.error(fault))
    }

    /// Asks for the secret wherever it is kept, and waits without a thread.
    ///
    /// # Errors
    /// [`SecretError`] as of [`SecretReference::resolve`].
    pub async fn obtain(&self) -> Result<SecretString, SecretError> {
        self.asked().await.and_then(text).map_err(|fault| self.error(fault))
    }

    /// The same of what need not be text.
    ///
    /// # Errors
    /// [`SecretError`] as of [`SecretReference::resolve_bytes`].
    pub async fn obtain_bytes(&self) -> Result<SecretSlice<u8>, SecretError> {
        self.asked().await.and_then(bytes).map_err(|fault| self.error(fault))
    }

    /// Brings what [`SecretReference::resolve`] gives up to date where that takes a program or the network, and sees that a disk
    /// answers, so that `resolve` does not wait for it. What went wrong is said by [`SecretReference::resolve`].
    pub async fn fetch(&self) {
        if let Self::Stored(stored) = self {
            stored.store.fetch(&stored.item).await;
        } else {
            drop(self.asked().await);
        }
    }

    /// Its user refused what it holds: the next [`SecretReference::fetch`] asks again, however fresh that is.
    pub fn doubt(&self) {
        if let Self::Stored(stored) = self {
            stored.store.doubt(&stored.item);
        }
    }

    /// When its store says that it expires, if it says so.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        if let Self::Stored(stored) = self { stored.store.expires_at(&stored.item) } else { None }
    }

    /// Whether it has to be asked for, so that nothing is known of it until it is.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }

    /// What is kept there, asked for without a thread.
    async fn asked(&self) -> Result<Kept, Fault> {
        match self {
            Self::File(path) => reader::read(path).await.map(Kept::Bytes),
            Self::Credential(name) => reader::read(&credential_path(name)?).await.map(Kept::Bytes),
            Self::Stored(stored) => {
                stored.store.fetch(&stored.item).await;
                self.known()
            }
            Self::Env(_) => self.known(),
        }
    }

    fn kept(&self, read: fn(&Path) -> Result<Arc<SecretSlice<u8>>, Fault>) -> Result<Kept, Fault> {
        match self {
            Self::File(path) => read(path).map(Kept::Bytes),
            Self::Credential(name) => read(&credential_path(name)?).map(Kept::Bytes),
            Self::Env(_) | Self::Stored(_) => self.known(),
        }
    }

    /// The secret, if it can be read without waiting.
    fn known(&self) -> Result<Kept, Fault> {
        match self {
            Self::Env(name) => match env::var(name) {
                Ok(text) if text.len() > SECRET_BYTES_MAX => Err(too_large_fault()),
                Ok(text) => Ok(Kept::Text(text.into())),
                Err(env::VarError::NotPresent) => {
                    Err(Fault::new(Clause::NotSet.english(), Clause::SetVariable.english()))
                }
                Err(env::VarError::NotUnicode(_)) => Err(not_utf8()),
            },
            Self::Stored(stored) => match stored.store.known(&stored.item) {
                Ok(secret) => Ok(Kept::Text(secret)),
                Err(what) => Err(Fault::new(what, Clause::CheckStore.english())),
            },
            Self::File(_) | Self::Credential(_) => Err(Fault::new("was not read", "try again")),
        }
    }

    fn error(&self, Fault { what, hint }: Fault) -> SecretError {
        SecretError { place: self.place(), what, hint }
    }

    /// Says of a secret that could be read that it is not what it should be; `what` continues a sentence and holds nothing of it.
    #[must_use]
    pub fn unfit(&self, what: &str) -> SecretError {
        SecretError { place: self.place(), what: what.to_owned(), hint: Clause::StoreRightSecret.english().to_owned() }
    }

    /// Where it is kept, in words.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Env(name) => format!("environment variable {name}"),
            Self::File(path) => format!("file {}", path.display()),
            Self::Credential(name) => format!("systemd credential {name}"),
            Self::Stored(stored) => stored.store.place(&stored.item),
        }
    }
}

/// The secret that a reference led to.
enum Kept {
    /// A file as it is.
    Bytes(Arc<SecretSlice<u8>>),
    /// A text that was never a file.
    Text(SecretString),
}

fn text(kept: Kept) -> Result<SecretString, Fault> {
    let text: SecretString = match kept {
        Kept::Text(text) => text,
        Kept::Bytes(bytes) => {
            if UTF_16_MARKS.iter().any(|mark| bytes.expose_secret().starts_with(mark)) {
                return Err(Fault::new(Clause::Utf16.english(), Clause::StoreAsUtf8.english()));
            }
            let text = String::from_utf8(bytes.expose_secret().to_vec()).map_err(|_| not_utf8())?;
            without_marks(text).into()
        }
    };
    if text.expose_secret().trim().is_empty() { Err(empty()) } else { Ok(text) }
}

fn bytes(kept: Kept) -> Result<SecretSlice<u8>, Fault> {
    let bytes: SecretSlice<u8> = match kept {
        Kept::Text(text) => text.expose_secret().as_bytes().to_vec().into(),
        Kept::Bytes(bytes) => bytes.expose_secret().to_vec().into(),
    };
    if bytes.expose_secret().trim_ascii().is_empty() { Err(empty()) } else { Ok(bytes) }
}

fn empty() -> Fault {
    Fault::new(Clause::Empty.english(), Clause::PutSecret.english())
}

fn not_utf8() -> Fault {
    Fault::new(not_text(), Clause::StoreAsText.english())
}

fn credential_path(name: &str) -> Result<PathBuf, Fault> {
    if let Some(folder) = env::var_os(CREDENTIALS_DIRECTORY) {
        return Ok(Path::new(&folder).join(name));
    }
    let lost = || Fault::new(Clause::NoCredentialsFolder.english(), Clause::AddCredential.with(&[&echo(name)]));
    passed_on::file_of(name).ok_or_else(lost)
}

/// Cuts what editors and shells leave around a text: a byte order mark before it, and line breaks after it.
#[must_use]
pub fn without_marks(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    text
}

/// What is wrong with a secret that is not text.
#[must_use]
pub fn not_text() -> String {
    Clause::NotText.english().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_loses_its_byte_order_mark_and_trailing_line_breaks_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for (content, secret) in [
            ("s", "s"),
            ("s\n", "s"),
            ("s\r\n", "s"),
            ("s\n\n", "s"),
            ("s\r\n\r\n", "s"),
            ("\u{feff}s\n", "s"),
            ("\n s\t ", "\n s\t "),
        ] {
            let path = folder.path().join("secret");
            fs::write(&path, content).unwrap();
            assert_eq!(SecretReference::File(path).resolve().unwrap().expose_secret(), secret, "{content:?}");
        }
    }

    #[test]
    fn what_can_not_be_a_secret_is_refused_by_place_and_never_by_content() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, what) in [
            ("empty", Vec::new(), "is empty"),
            ("blank", b" \n".to_vec(), "is empty"),
            ("binary", b"hunter2\xff".to_vec(), "is not UTF-8 text"),
            ("utf-16", b"\xff\xfeh\0u\0".to_vec(), "is UTF-16 text, as Windows PowerShell's `>` writes it"),
            ("large", vec![b'x'; SECRET_BYTES_MAX + 1], "is larger than 64 KiB"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let error = SecretReference::File(path.clone()).resolve().unwrap_err();
            assert_eq!((error.what.as_str(), error.place), (what, format!("file {}", path.display())));
        }
        let absent = SecretReference::File(folder.path().join("absent")).resolve().unwrap_err();
        assert_eq!(absent.what, "does not exist");
        assert_eq!(
            SecretReference::File(folder.path().to_owned()).resolve().unwrap_err().what,
            "is not a regular file: it is a directory"
        );
        let unset = SecretReference::Env("SCOREWATCH_NO_SUCH_VARIABLE".to_owned()).resolve().unwrap_err();
        assert_eq!(unset.to_string(), "environment variable SCOREWATCH_NO_SUCH_VARIABLE: is not set");
    }

    #[test]
    fn the_largest_secret_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, vec![b'x'; SECRET_BYTES_MAX]).unwrap();
        assert!(SecretReference::File(path).resolve().is_ok());
    }
}
