//! Puts the files of a plan in their place: all of them or none, each whole, and never over one that is there.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Pending;

/// Why the files could not be put in their place. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be written, so nothing was: {source}", path.display())]
pub struct PlaceError {
    /// Which file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Writes every file under another name first, then gives each its own. What fails undoes what was done. A service that follows the
/// folder may see some files before the others: each stands for itself.
///
/// # Errors
/// [`PlaceError`], with the first file that could not be written, or that somebody else put there meanwhile.
pub fn place(files: &Pending) -> Result<(), PlaceError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PlaceError { path, source }
    };
    let mut staged = Vec::with_capacity(files.len());
    for (path, text) in &files.0 {
        staged.push((path, stage(path, text).map_err(failed(path))?));
    }
    let mut placed: Vec<&Path> = Vec::with_capacity(staged.len());
    for (path, file) in staged {
        // Refuses to replace a file.
        if let Err(error) = file.persist_noclobber(path) {
            for path in placed {
                // What can't be undone either is found by whoever reads the error.
                let _ = fs::remove_file(path);
            }
            return Err(failed(path)(error.error));
        }
        placed.push(path);
    }
    let mut folders: Vec<&Path> = placed.iter().filter_map(|path| path.parent()).collect();
    folders.dedup();
    for folder in folders {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    }
    Ok(())
}

/// A file with that text beside its place. It goes away on its own unless it is put there.
fn stage(path: &Path, text: &str) -> io::Result<tempfile::TempPath> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".import-")
        // No pattern of `tenants:` finds it.
        .suffix(".part")
        // As any other file: what the umask lets.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}
