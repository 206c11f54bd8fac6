//! Puts the files of a plan in their place.

use super::Pending;
use crate::config::place::{NewFile, PlaceError, Placed, place as place_all};

/// Writes every file, or none. A service that follows the folder may see some files before the others: each stands for itself.
///
/// # Errors
/// [`PlaceError`], with the first file that could not be written, or that somebody else put there meanwhile.
pub fn place(files: &Pending) -> Result<(), PlaceError> {
    let files: Vec<NewFile> = files.0.iter().map(|(path, text)| NewFile::plain(path.clone(), text.clone())).collect();
    place_all(&files).map(Placed::keep)
}
