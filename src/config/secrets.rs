//! References to secrets: written → meant. None is read here; each is noted, to be tried later ([`super::trial`]).

use super::{
    draft::Draft,
    field::Word,
    raw::{RawReference, RawSecret},
    scope::Scope,
    stored::stored,
    trial::{Form, SecretUse},
};
use crate::secret::{SecretReference, redact::echo};

/// How a secret is written.
const HOW: &str = "write `{ file: PATH }`, `{ env: NAME }` or `{ credential: NAME }`";

/// A reference to a text. A literal is refused, and never repeated.
pub(super) fn reference(raw: RawSecret, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    reference_to(Form::Text, raw, at, draft)
}

/// The same to a secret of that form.
pub(super) fn reference_to(form: Form, raw: RawSecret, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    let reference = untried(raw, at, draft)?;
    note(&reference, form, at, draft);
    Some(reference)
}

/// Notes where a secret is used.
pub(super) fn note(reference: &SecretReference, form: Form, at: &Scope<'_>, draft: &mut Draft) {
    draft.secrets.push(SecretUse {
        place: at.place(),
        key: at.path(),
        kept: place(reference, at),
        reference: reference.clone(),
        form,
    });
}

/// A reference that the caller notes.
pub(super) fn untried(raw: RawSecret, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    let RawSecret::Reference(raw) = raw else {
        draft.error(at, "a secret stands here itself, not where it is kept", HOW);
        return None;
    };
    at.only(RawReference::KEYS, draft);
    if raw.exec.is_written() || raw.store.is_written() {
        return stored(*raw, at, draft);
    }
    for (key, is_written) in [("path", raw.path.is_written()), ("name", raw.name.is_written())] {
        if is_written {
            draft.error(
                &at.key(key),
                format!("`{key}` is of a secret store that is not named"),
                "write `store: NAME` too",
            );
        }
    }
    let env = draft.take(raw.env, &at.key("env")).map(|Word(name)| SecretReference::Env(name));
    let file = draft.take(raw.file, &at.key("file")).map(|Word(path)| SecretReference::File(at.folder().join(path)));
    let credential =
        draft.take(raw.credential, &at.key("credential")).map(|Word(name)| SecretReference::Credential(name));
    let mut given = [env, file, credential].into_iter().flatten();
    let (Some(reference), None) = (given.next(), given.next()) else {
        draft.error(at, "a secret is kept in exactly one place", HOW);
        return None;
    };
    if let SecretReference::Env(name) = &reference
        && (name.is_empty() || name.contains(['=', '\0']))
    {
        draft.error(at, "this is not a name of an environment variable", "write `{ env: NAME }`");
        return None;
    }
    if let SecretReference::Credential(name) = &reference
        && (name.is_empty() || name.contains('/') || name == "..")
    {
        draft.error(at, "this is not a name of a systemd credential", "write the name alone, without a path");
        return None;
    }
    Some(reference)
}

/// Where it is kept, as a problem says it: a path as it is written, and nothing that may be the secret itself.
pub(super) fn place(reference: &SecretReference, at: &Scope<'_>) -> String {
    match reference {
        SecretReference::Env(name) => format!("environment variable `{}`", variable(name)),
        SecretReference::File(path) => {
            let written = path.strip_prefix(at.folder()).unwrap_or(path);
            format!("file `{}`", echo(&written.to_string_lossy()))
        }
        SecretReference::Credential(name) => format!("systemd credential `{}`", echo(name)),
        SecretReference::Stored(_) => reference.place(),
    }
}

/// The name of a variable. What is none in capitals may be the secret itself.
fn variable(name: &str) -> std::borrow::Cow<'_, str> {
    let is_usual = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if name.chars().all(is_usual) { echo(name) } else { "…".into() }
}
