//! Systemd credentials outside the unit: an administrator's commands read them from where the unit gets them.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::OnceLock,
};

use crate::domain::Complaint;

/// What was said at the start; it holds for the whole process.
static PASSED_ON: OnceLock<PassedOn> = OnceLock::new();

/// Where credentials are, as `LoadCredential=` of a unit says it: `secrets:/etc/scorewatch/secrets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOn {
    /// The name of the credential, or what the names begin with that a folder's files get.
    pub id: String,
    /// The file or folder.
    pub path: PathBuf,
}

impl FromStr for PassedOn {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let parts = text.split_once(':').filter(|(id, path)| !id.is_empty() && Path::new(path).is_absolute());
        let Some((id, path)) = parts else {
            let instead = "write it as in `LoadCredential=` of the unit, like `secrets:/etc/scorewatch/secrets`";
            return Err(Complaint::new("this does not say where credentials are", instead));
        };
        Ok(Self { id: id.to_owned(), path: path.into() })
    }
}

impl PassedOn {
    /// Lets every later reference to a systemd credential be read from there, unless systemd itself passes credentials on.
    /// Only the first call counts.
    pub fn apply(self) {
        // A second one would be a second unit's.
        let _ = PASSED_ON.set(self);
    }

    /// The file of a credential, by the names that systemd gives (`LoadCredential=` in `systemd.exec(5)`).
    fn file_of(&self, name: &str) -> Option<PathBuf> {
        let of_folder = name.strip_prefix(&self.id).and_then(|rest| rest.strip_prefix('_'));
        match of_folder.filter(|file| !file.is_empty() && !file.contains('/')) {
            Some(file) if self.path.is_dir() => Some(self.path.join(file)),
            _ => (name == self.id && !self.path.is_dir()).then(|| self.path.clone()),
        }
    }
}

/// Where a credential is outside the unit, if that was said.
pub(super) fn file_of(name: &str) -> Option<PathBuf> {
    PASSED_ON.get()?.file_of(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_folder_have_the_names_that_systemd_gives_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("contoso");
        std::fs::write(&file, "s").unwrap();
        let of = |path: &Path| format!("secrets:{}", path.display()).parse::<PassedOn>().unwrap();
        assert_eq!(of(folder.path()).file_of("secrets_contoso"), Some(file.clone()));
        assert_eq!(of(&file).file_of("secrets"), Some(file.clone()));
        for name in ["contoso", "secrets", "secrets_", "secretscontoso", "secrets_../x"] {
            assert_eq!(of(folder.path()).file_of(name), None, "{name}");
        }
        assert_eq!(of(&file).file_of("secrets_contoso"), None);
        for text in ["", "secrets", "secrets:", ":/etc/x", "secrets:relative"] {
            assert!(text.parse::<PassedOn>().is_err(), "{text}");
        }
    }
}
