//! Reading files: size, encoding, places, values.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_yaml::Value;

use super::{
    draft::Draft,
    marks::{Content, Mark, Node},
    salvage::salvage,
    scope::Scope,
    spelling::nearest,
    words::written_out,
    yaml::{self, Document, FILE_BYTES_MAX},
};
use crate::{
    diagnostic::{Place, Problem, Warning},
    secret::{redact::echoed, this_user},
};

/// Most files of a folder that a misspelt name is compared with.
const BESIDE_MAX: usize = 200;

/// A file that could be read.
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    pub(super) node: Node,
    pub(super) value: Value,
}

/// Reads one file, or complains.
pub(super) fn read(path: &Path, draft: &mut Draft) -> Option<Source> {
    let pending = draft.pending.text(path).map(|text| text.as_bytes().to_vec());
    let mut complain = |mark: Mark, what: String, instead: &str| {
        let place = Place { file: path.to_owned(), line: mark.line, column: mark.column };
        draft.problems.list.push(Problem::error(place, "", echoed(&what), instead));
    };
    let is_there = pending.is_none();
    let mut bytes = pending.unwrap_or_default();
    let read = if is_there { read_whole(path, &mut bytes) } else { Ok(()) };
    if let Err(error) = read {
        let (what, instead) = match error.kind() {
            ErrorKind::PermissionDenied => {
                (format!("{} may not read this file", this_user()), "let that user read it: `chgrp` and `chmod g+r`")
            }
            _ if path.is_dir() => ("this is a folder, not a file".to_owned(), "name the file that is in it"),
            _ => (format!("the file can't be read: {error}"), "check its path and permissions"),
        };
        complain(Mark::START, what, instead);
        return None;
    }
    if bytes.len() > FILE_BYTES_MAX {
        let fault = yaml::too_large();
        complain(fault.mark, fault.what, &echoed(&fault.instead));
        return None;
    }
    draft.watched.note(path.as_os_str().as_encoded_bytes());
    draft.watched.note(&bytes);
    if [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark)) {
        let instead = "save it as UTF-8; Windows PowerShell's `>` writes UTF-16";
        complain(Mark::START, "the file is UTF-16, not UTF-8".to_owned(), instead);
        return None;
    }
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
    let unknown = draft.allowed.note(path, text);
    draft.list.extend(unknown);
    let mut complain = |mark: Mark, what: String, instead: &str| {
        let place = Place { file: path.to_owned(), line: mark.line, column: mark.column };
        draft.list.push(Problem::error(place, "", echoed(&what), instead));
    };
    match yaml::read(text) {
        Ok(Some(Document { node, value })) => {
            if is_there {
                let Mark { line, column } = node.mark;
                draft.world.files.push(Place { file: path.to_owned(), line, column });
            }
            Some(Source { path: path.into(), node, value })
        }
        Ok(None) => {
            complain(Mark::START, "the file is empty".to_owned(), "write a configuration, or delete the file");
            None
        }
        Err(faults) => {
            for fault in faults {
                complain(fault.mark, fault.what, &echoed(&fault.instead));
            }
            let kept = if draft.is_lenient { salvage(text) } else { None };
            let Document { node, value } = yaml::read(&kept?).ok()??;
            Some(Source { path: path.into(), node, value })
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
        return Err(std::io::Error::other("it is not a regular file"));
    }
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(bytes).map(drop)
}

/// The names of some files beside that path.
fn beside(path: &Path) -> Option<Vec<String>> {
    let entries =
        std::fs::read_dir(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
            .ok()?;
    let files = entries.take(BESIDE_MAX).filter_map(Result::ok).filter(|entry| entry.path().is_file());
    Some(files.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// The files that an entry of `rules:` or `tenants:` names, in order.
pub(super) fn find(pattern: &str, at: &Scope<'_>, draft: &mut Draft) -> Vec<PathBuf> {
    if let Err(complaint) = written_out(pattern) {
        draft.complain(at, complaint);
        return Vec::new();
    }
    draft.watched.pattern(&at.folder().join(pattern));
    if !pattern.contains(['*', '?', '[']) {
        let path = at.folder().join(pattern);
        if let Some(path) = draft.pending.matching(at.folder(), pattern).pop() {
            return vec![path];
        }
        if path.is_dir() {
            let instead = format!("write `{}/*.yaml`", pattern.trim_end_matches('/'));
            draft.error(at, format!("`{pattern}` is a folder"), instead);
            return Vec::new();
        }
        if !path.is_file() {
            let near = beside(&path).and_then(|names| {
                let suggested = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
                Some(format!("did you mean `{}`?", Path::new(pattern).with_file_name(suggested).display()))
            });
            let instead = near.unwrap_or_else(|| "create it, or write another path, relative to this file".to_owned());
            draft.error(at, format!("there is no file `{pattern}`"), instead);
            return Vec::new();
        }
        return vec![path];
    }
    let folder = glob::Pattern::escape(&at.folder().to_string_lossy());
    let whole = Path::new(&folder).join(pattern);
    let mut found: Vec<PathBuf> = match glob::glob(&whole.to_string_lossy()) {
        Ok(paths) => paths.filter_map(Result::ok).filter(|path| path.is_file()).collect(),
        Err(error) => {
            draft.error(at, format!("this is not a pattern: {}", error.msg), "write one like `rules/*.yaml`");
            return Vec::new();
        }
    };
    found.extend(draft.pending.matching(at.folder(), pattern));
    if found.is_empty() {
        draft.warning(
            Warning::PatternMatchesNothing,
            at,
            format!("no file matches `{pattern}`"),
            "write a path relative to this file",
        );
    }
    found.sort();
    found
}
