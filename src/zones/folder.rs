//! The system's time zone data: a folder of compiled zones (RFC 8536). Whatever lies there is hostile until it is parsed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::Release;
use crate::{domain::Timestamp, schedule::Zone};

/// Longest file of a zone, in bytes; the longest that there is has 4 KB.
const ZONE_BYTES_MAX: u64 = 64 * 1024;
/// As much of a file is read to find the release that it is of.
const RELEASE_BYTES_MAX: u64 = 64;
/// Longest name of a zone; the longest that there is has 32 letters.
const NAME_LETTERS_MAX: usize = 64;
/// Files of the folder that are not zones: other reckonings, the machine's own zone, a template.
const NO_ZONES: [&str; 4] = ["posix", "right", "localtime", "posixrules"];

/// The files that name the release of the data, and what stands before its name.
pub(super) const RELEASE_FILES: [(&str, &str); 2] = [("tzdata.zi", "# version "), ("+VERSION", "")];

/// The release of the data in a folder, and when its file was written.
pub(super) fn release(folder: &Path) -> Option<(Release, Timestamp)> {
    RELEASE_FILES.iter().find_map(|(file, before)| {
        let path = folder.join(file);
        let start = read(&path, RELEASE_BYTES_MAX, false).ok()?;
        let line = start.split(|byte| *byte == b'\n').next()?;
        let release = Release::parse(std::str::from_utf8(line).ok()?.strip_prefix(before)?.trim_ascii_end())?;
        Some((release, file_time(&path)))
    })
}

fn file_time(path: &Path) -> Timestamp {
    let modified = fs::metadata(path).and_then(|found| found.modified()).ok();
    let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.map_or(Timestamp::EPOCH, |since| Timestamp::EPOCH.plus(since))
}

/// The file in which a zone of that name lies; `None`: it is not the name of a zone.
pub(super) fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'+' | b'-');
    let mut parts = name.split('/');
    let is_name = name.len() <= NAME_LETTERS_MAX
        && parts.all(|part| !part.is_empty() && part.bytes().all(is_letter))
        && !NO_ZONES.contains(&name.split('/').next().unwrap_or_default());
    is_name.then(|| folder.join(name))
}

/// Reads a zone's file.
///
/// # Errors
/// What is wrong with it, in one phrase.
pub(super) fn zone(name: &str, path: &Path) -> Result<(Zone, Vec<u8>), String> {
    let bytes = read(path, ZONE_BYTES_MAX, true).map_err(|error| error.to_string())?;
    Ok((Zone::from_tzif(name, &bytes)?, bytes))
}

/// A plain file, or its beginning.
fn read(path: &Path, bytes_max: u64, is_whole: bool) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for who writes to it.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if is_whole && found.len() > bytes_max {
        return Err(io::Error::other(format!("it is larger than {bytes_max} bytes")));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
