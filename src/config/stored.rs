//! References to what has to be asked for: a program's output, or a secret in a store.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use super::{
    draft::Draft,
    field::{Field, Word},
    raw::RawReference,
    scope::Scope,
    spelling::quoted,
    words::written_out,
};
use crate::{
    domain::{Complaint, parse_duration},
    secret::{Item, SecretReference, Stored},
    secret_store::PROGRAM_TIME_LIMIT,
};

/// Longest time that a program may be given: a check waits for it.
const PROGRAM_TIME_LIMIT_MAX: Duration = Duration::from_mins(1);
/// The field of a Vault's secret that is read unless another is named.
const FIELD: &str = "value";
/// Longest name of a Key Vault's secret ("Key Vault object identifiers").
const NAME_LETTERS_MAX: usize = 127;

/// A path whose parts need no escape.
pub(super) fn path(text: &str, example: &str) -> Result<String, Complaint> {
    let is_part = |part: &str| {
        let letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.~".contains(&letter);
        !part.is_empty() && part.bytes().all(letter) && !part.bytes().all(|letter| letter == b'.')
    };
    let path = text.trim_matches('/');
    if path.split('/').all(is_part) {
        Ok(path.to_owned())
    } else {
        Err(Complaint::new(
            "this is not a path of letters, digits, `-`, `_`, `.` and `/`",
            format!("write one like `{example}`"),
        ))
    }
}

/// What a reference to a program or a store means; `None`: it is not such a reference, or was already reported as wrong.
pub(super) fn stored(raw: RawReference, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    if raw.exec.is_written() {
        misplaced(&raw, &["exec", "timeout"], at, draft);
        return program(raw, at, draft);
    }
    let Word(name) = draft.take(raw.store.clone(), &at.key("store"))?;
    let Some(store) = draft.stores.good.named.get(&name).cloned() else {
        if !draft.stores.broken.contains(&name) {
            let names: Vec<&String> = draft.stores.good.named.keys().collect();
            let instead = if names.is_empty() {
                "define it under `secret_stores:` of the main file; what opens a store is kept outside of stores"
                    .to_owned()
            } else {
                format!("use one of {}, or define it under `secret_stores:` of the main file", quoted(&names))
            };
            draft.error(&at.key("store"), "there is no secret store of this name", instead);
        }
        return None;
    };
    let item = if store.is_key_vault() {
        misplaced(&raw, &["store", "name", "version"], at, draft);
        let named = draft.require(raw.name, &at.key("name"), "contoso");
        let is_name = |text: &str| text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
        let fits = |text: &String| !text.is_empty() && text.len() <= NAME_LETTERS_MAX && is_name(text);
        let name = named.map(|Word(text)| text).filter(fits);
        if name.is_none() {
            draft.error(&at.key("name"), "a Key Vault has no such name", "use letters, digits and `-`");
        }
        let has_version = raw.version.is_written();
        let version = draft.parse(raw.version, &at.key("version"), |text| {
            let is_version = !text.is_empty() && text.len() <= NAME_LETTERS_MAX && is_name(text);
            is_version
                .then(|| text.to_owned())
                .ok_or_else(|| Complaint::new("this is not a version", "copy its 32 letters"))
        });
        Item::Named { name: name?, version: if has_version { Some(version?) } else { None } }
    } else {
        misplaced(&raw, &["store", "path", "field"], at, draft);
        let here = at.key("path");
        if !raw.path.is_written() {
            draft.error(&here, "`path` is missing", "write `path: tenants/contoso`");
        }
        let path = draft.parse(raw.path, &here, |text| path(text, "tenants/contoso"));
        let field = draft.take(raw.field, &at.key("field")).map_or_else(|| FIELD.to_owned(), |Word(field)| field);
        Item::Field { path: path?, field }
    };
    Some(SecretReference::Stored(Stored { store, item: Arc::new(item) }))
}

/// Complains of every other key.
fn misplaced(raw: &RawReference, allowed: &[&str], at: &Scope<'_>, draft: &mut Draft) {
    for (key, is_written) in [
        ("env", raw.env.is_written()),
        ("file", raw.file.is_written()),
        ("credential", raw.credential.is_written()),
        ("exec", raw.exec.is_written()),
        ("timeout", raw.timeout.is_written()),
        ("store", raw.store.is_written()),
        ("path", raw.path.is_written()),
        ("field", raw.field.is_written()),
        ("name", raw.name.is_written()),
        ("version", raw.version.is_written()),
    ] {
        if is_written && !allowed.contains(&key) {
            let instead = format!("delete it; here belong {}", quoted(allowed));
            draft.error(&at.key(key), format!("`{key}` does not belong to this reference"), instead);
        }
    }
}

/// A program and its arguments.
fn program(raw: RawReference, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    let here = at.key("exec");
    let has_limit = raw.timeout.is_written();
    let limit = draft.parse(raw.timeout, &at.key("timeout"), |text| match parse_duration(text)? {
        limit if limit > Duration::ZERO && limit <= PROGRAM_TIME_LIMIT_MAX => Ok(limit),
        _ => Err(Complaint::new("a program gets up to a minute", "write a time like `10s`")),
    });
    let time_limit = if has_limit { limit? } else { PROGRAM_TIME_LIMIT };
    let Field::Good(words) = &raw.exec else {
        draft.take(raw.exec, &here);
        return None;
    };
    let count = words.len();
    let words: Vec<String> = draft.items(raw.exec, &here).into_iter().map(|(_, Word(word))| word).collect();
    if words.len() != count {
        return None;
    }
    let mut words = words.into_iter();
    let Some(program) = words.next().filter(|program| !program.is_empty()) else {
        draft.error(&here, "there is no program", "write `exec: [./get-secret, contoso]`");
        return None;
    };
    if let Err(complaint) = written_out(&program) {
        draft.complain(&here, complaint);
        return None;
    }
    let program = at.folder().join(program);
    draft.watched.file(&program);
    if !is_executable(&program) {
        let instead = "write an absolute path, or one relative to this file, and let this process run it";
        draft.error(&here, "this is not a program that can be run", instead);
        return None;
    }
    let item = Item::Output { program, arguments: words.collect(), folder: at.folder().to_owned(), time_limit };
    let store = Arc::clone(&draft.stores.good.programs);
    Some(SecretReference::Stored(Stored { store, item: Arc::new(item) }))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
