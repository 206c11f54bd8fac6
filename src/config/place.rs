//! Puts new files on the disk: all of them or none, each whole, and never over one that is there.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tempfile::{Builder, TempPath};

use crate::secret::{ExposeSecret, SecretString};

/// Bits of a file's mode that let somebody read it.
const READ: u32 = 0o444;
/// How far those are from the bits that let the same people enter a folder.
const ENTER_SHIFT: u32 = 2;
/// Bits that let somebody else in.
const OF_OTHERS: u32 = 0o077;
/// What a file or folder may be if the umask allows.
const ANY_FILE: u32 = 0o666;
const ANY_FOLDER: u32 = 0o777;

/// A file that is to be.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Where the file comes to be.
    pub path: PathBuf,
    /// What is in it; it may be a secret.
    pub text: SecretString,
    /// Its mode, regardless of the umask; `None`: what the umask allows. A new folder for it is open to the same people.
    pub mode: Option<u32>,
}

/// Why the files could not be put in their place. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be written, so nothing was: {source}", path.display())]
pub struct PlaceError {
    /// Which file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Files that were just put in their place. Dropping this takes them away again, with the folders that were made for them.
#[derive(Debug, Default)]
pub struct Placed {
    files: Vec<PathBuf>,
    /// Folders that were made, the outer ones first.
    folders: Vec<PathBuf>,
}

impl Placed {
    /// Leaves everything where it is.
    pub fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl NewFile {
    /// A file that is open to whomever the umask allows.
    #[must_use]
    pub fn plain(path: PathBuf, text: String) -> Self {
        Self { path, text: text.into(), mode: None }
    }

    /// Whether only its owner may read it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.mode.is_some_and(|mode| mode & OF_OTHERS == 0)
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // What can't be undone either is found by whoever reads the error. A folder goes only while nothing is in it.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Those of the files that are there already.
#[must_use]
pub fn existing(files: &[NewFile]) -> Vec<&Path> {
    files.iter().map(|file| file.path.as_path()).filter(|path| path.symlink_metadata().is_ok()).collect()
}

/// Writes every file under another name first, then gives each its own.
///
/// # Errors
/// [`PlaceError`], with the first file that could not be written, or that somebody else put there meanwhile.
pub fn place(files: &[NewFile]) -> Result<Placed, PlaceError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PlaceError { path, source }
    };
    let mut placed = Placed::default();
    let mut staged = Vec::with_capacity(files.len());
    for file in files {
        let folder = folder_of(&file.path);
        make_folders(folder, file.mode, &mut placed.folders).map_err(failed(folder))?;
        staged.push((&file.path, stage(file, folder).map_err(failed(&file.path))?));
    }
    for (path, file) in staged {
        // Refuses to replace a file.
        file.persist_noclobber(path).map_err(|error| failed(path)(error.error))?;
        placed.files.push(path.clone());
    }
    let mut folders: Vec<&Path> = files.iter().map(|file| folder_of(&file.path)).collect();
    folders.dedup();
    for folder in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    }
    Ok(placed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the folder and those above it, as far as they are missing.
fn make_folders(folder: &Path, mode: Option<u32>, created: &mut Vec<PathBuf>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    // What is above a secret's folder is as open as any other.
    make_folders(folder_of(folder), mode.filter(|mode| mode & OF_OTHERS != 0), created)?;
    let wanted = mode.map(|mode| mode | ((mode & READ) >> ENTER_SHIFT));
    DirBuilder::new().mode(wanted.unwrap_or(ANY_FOLDER)).create(folder)?;
    created.push(folder.to_owned());
    match wanted {
        Some(mode) => fs::set_permissions(folder, Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

/// A file with that text beside its place. It goes away on its own unless it is put there.
fn stage(file: &NewFile, folder: &Path) -> io::Result<TempPath> {
    let mut staged = Builder::new()
        .prefix(".scorewatch-")
        // No pattern of a configuration finds it.
        .suffix(".part")
        .permissions(Permissions::from_mode(file.mode.unwrap_or(ANY_FILE)))
        .tempfile_in(folder)?;
    if let Some(mode) = file.mode {
        staged.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    staged.write_all(file.text.expose_secret().as_bytes())?;
    staged.as_file().sync_all()?;
    Ok(staged.into_temp_path())
}
