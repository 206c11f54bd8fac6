//! Where a secret is kept, and how it is read.

use std::{
    env,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::Stored;
use crate::domain::Timestamp;

/// Largest secret, in bytes: room for a certificate chain, too small to exhaust memory by a wrong path.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Where systemd puts a unit's credentials ("Credentials", systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret is kept: `{ env: NAME }`, `{ file: PATH }`, `{ credential: NAME }` (systemd's `$CREDENTIALS_DIRECTORY`), or where
/// it has to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line break is cut.
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
}

impl SecretReference {
    /// Reads the secret anew, so that a changed file is used without a restart. Of one that a store keeps, what the last
    /// [`SecretReference::fetch`] brought.
    ///
    /// # Errors
    /// [`SecretError`] when it is missing, unreadable, empty, not UTF-8 or larger than 64 KiB.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        self.read().map_err(|what| SecretError { place: self.place(), what })
    }

    /// The same of what need be no text: a file as it is. What is kept as text is given as its bytes.
    ///
    /// # Errors
    /// [`SecretError`] when it is missing, unreadable, empty or larger than 64 KiB.
    pub fn resolve_bytes(&self) -> Result<SecretSlice<u8>, SecretError> {
        let bytes = match self {
            Self::File(path) => read_bytes(path),
            Self::Credential(name) => credential_path(name).and_then(|path| read_bytes(&path)),
            Self::Env(_) | Self::Stored(_) => {
                return Ok(self.resolve()?.expose_secret().as_bytes().to_vec().into());
            }
        };
        match bytes {
            Ok(bytes) if bytes.trim_ascii().is_empty() => Err(self.unfit("is empty")),
            Ok(bytes) => Ok(bytes.into()),
            Err(what) => Err(self.unfit(&what)),
        }
    }

    /// Brings what [`SecretReference::resolve`] gives up to date where that takes a program or the network. What lies on this
    /// machine needs none. What went wrong is told by [`SecretReference::resolve`].
    pub async fn fetch(&self) {
        if let Self::Stored(stored) = self {
            stored.store.fetch(&stored.item).await;
        }
    }

    /// Its user refused what it holds: the next [`SecretReference::fetch`] asks anew, however fresh that is.
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

    fn read(&self) -> Result<SecretString, String> {
        if let Self::Stored(stored) = self {
            let secret = stored.store.known(&stored.item)?;
            return if secret.expose_secret().trim().is_empty() { Err("is empty".to_owned()) } else { Ok(secret) };
        }
        let text = self.read_here()?;
        if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text.into()) }
    }

    fn read_here(&self) -> Result<String, String> {
        match self {
            Self::Env(name) => match env::var(name) {
                Ok(text) if text.len() > SECRET_BYTES_MAX => Err(too_large()),
                Ok(text) => Ok(text),
                Err(env::VarError::NotPresent) => Err("is not set".to_owned()),
                Err(env::VarError::NotUnicode(_)) => Err(not_text()),
            },
            Self::File(path) => read_file(path),
            Self::Credential(name) => credential_path(name).and_then(|path| read_file(&path)),
            Self::Stored(_) => Err("is not on this machine".to_owned()),
        }
    }

    /// Says of a secret that could be read that it is not what it should be; `what` continues a sentence and holds nothing of it.
    #[must_use]
    pub fn unfit(&self, what: &str) -> SecretError {
        SecretError { place: self.place(), what: what.to_owned() }
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

fn credential_path(name: &str) -> Result<PathBuf, String> {
    let folder = env::var_os(CREDENTIALS_DIRECTORY);
    let folder = folder.ok_or_else(|| format!("can't be looked up: {CREDENTIALS_DIRECTORY} is not set"))?;
    Ok(Path::new(&folder).join(name))
}

/// Reads a secret's file and cuts one trailing line break.
fn read_file(path: &Path) -> Result<String, String> {
    String::from_utf8(read_bytes(path)?).map(without_line_break).map_err(|_| not_text())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        kind => format!("can't be read: {kind}"),
    };
    let file = File::open(path).map_err(unreadable)?;
    // A pipe or device could block for ever; what holds a secret is a plain file.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err("is no plain file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Cuts one trailing line break, as `echo` and editors leave it.
#[must_use]
pub fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// What is said of a secret above the limit.
#[must_use]
pub fn too_large() -> String {
    format!("is larger than {} KiB", SECRET_BYTES_MAX / 1024)
}

/// What is said of a secret that is no text.
#[must_use]
pub fn not_text() -> String {
    "is not UTF-8 text".to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_loses_one_trailing_line_break_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for (content, secret) in [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" s ", " s ")] {
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
            ("large", vec![b'x'; SECRET_BYTES_MAX + 1], "is larger than 64 KiB"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let error = SecretReference::File(path.clone()).resolve().unwrap_err();
            assert_eq!((error.what.as_str(), error.place), (what, format!("file {}", path.display())));
        }
        let absent = SecretReference::File(folder.path().join("absent")).resolve().unwrap_err();
        assert_eq!(absent.what, "does not exist");
        assert_eq!(SecretReference::File(folder.path().to_owned()).resolve().unwrap_err().what, "is no plain file");
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
