//! Reading files: size, encoding, places, values.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_yaml::Value;

use super::{
    marks::{Content, Mark, Node},
    scope::{Problems, Scope},
    yaml::{self, Document, FILE_BYTES_MAX},
};
use crate::{
    diagnostic::{Gravity, Place, Problem},
    secret::redact::echoed,
};

/// A file that could be read.
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    pub(super) node: Node,
    pub(super) value: Value,
}

/// Reads one file, or complains.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Option<Source> {
    let pending = problems.pending.text(path).map(|text| text.as_bytes().to_vec());
    let mut complain = |mark: Mark, what: String, instead: &str| {
        let place = Place { file: path.to_owned(), line: mark.line, column: mark.column };
        problems.list.push(Problem {
            place,
            key: String::new(),
            gravity: Gravity::Error,
            what: echoed(&what),
            instead: instead.to_owned(),
        });
    };
    let is_there = pending.is_none();
    let mut bytes = pending.unwrap_or_default();
    let read = if is_there { read_whole(path, &mut bytes) } else { Ok(()) };
    if let Err(error) = read {
        complain(Mark::START, format!("the file can't be read: {error}"), "check its path and permissions");
        return None;
    }
    if bytes.len() > FILE_BYTES_MAX {
        let fault = yaml::too_large();
        complain(fault.mark, fault.what, fault.instead);
        return None;
    }
    problems.watched.note(path.as_os_str().as_encoded_bytes());
    problems.watched.note(&bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.split(|byte| *byte == b'\n').count() - 1;
            complain(Mark { line, column: 1 }, "this line is not UTF-8".to_owned(), "save the file as UTF-8");
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match yaml::read(text) {
        Ok(Some(Document { node, value })) => Some(Source { path: path.into(), node, value }),
        Ok(None) => {
            complain(Mark::START, "the file is empty".to_owned(), "write a configuration, or delete the file");
            None
        }
        Err(faults) => {
            for fault in faults {
                complain(fault.mark, fault.what, fault.instead);
            }
            None
        }
    }
}

impl Source {
    /// The top of the file.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::root(&self.path, Some(&self.node))
    }

    /// Whether a list stands at the top.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.node.content, Content::List(_))
    }
}

/// A plain file's bytes, and one more than a file may have.
fn read_whole(path: &Path, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no plain file"));
    }
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(bytes).map(drop)
}

/// The files that an entry of `rules:` or `tenants:` names, in order.
pub(super) fn find(pattern: &str, at: &Scope<'_>, problems: &mut Problems) -> Vec<PathBuf> {
    problems.watched.pattern(&at.folder().join(pattern));
    if !pattern.contains(['*', '?', '[']) {
        let path = at.folder().join(pattern);
        if let Some(path) = problems.pending.matching(at.folder(), pattern).pop() {
            return vec![path];
        }
        if !path.is_file() {
            problems.error(at, format!("there is no file `{pattern}`"), "write a path relative to this file");
            return Vec::new();
        }
        return vec![path];
    }
    let folder = glob::Pattern::escape(&at.folder().to_string_lossy());
    let whole = Path::new(&folder).join(pattern);
    let mut found: Vec<PathBuf> = match glob::glob(&whole.to_string_lossy()) {
        Ok(paths) => paths.filter_map(Result::ok).filter(|path| path.is_file()).collect(),
        Err(error) => {
            problems.error(at, format!("this is no pattern: {}", error.msg), "write one like `rules/*.yaml`");
            return Vec::new();
        }
    };
    found.extend(problems.pending.matching(at.folder(), pattern));
    if found.is_empty() {
        problems.warning(at, format!("no file matches `{pattern}`"), "write a path relative to this file");
    }
    found.sort();
    found
}
