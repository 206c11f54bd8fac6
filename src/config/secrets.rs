//! References to secrets: written → meant. None is read here; each is noted, to be tried later ([`super::trial`]).

use uuid::Uuid;

use super::{
    draft::Draft,
    field::Word,
    raw::{RawReference, RawSecret},
    scope::Scope,
    stored::stored,
    trial::{Form, SecretUse},
    words::written_out,
};
use crate::secret::{ExposeSecret, SecretReference, SecretString, redact::echo};

/// Letters of a GUID with its hyphens.
const GUID_LETTERS: usize = 36;
/// How a secret is written.
pub(super) const HOW: &str = "write `{ file: PATH }`, `{ env: NAME }` or `{ credential: NAME }`";

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
        looks_like_a_secret: looks_like_a_secret(reference, at),
        form,
    });
}

/// A reference that the caller notes.
pub(super) fn untried(raw: RawSecret, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    let raw = match raw {
        RawSecret::Reference(raw) => raw,
        RawSecret::Variable(name) => {
            let what = format!("variables like `${{{name}}}` are not replaced here");
            draft.error(at, what, format!("write `{{ env: {name} }}`"));
            return None;
        }
        // Only what is there is repeated: anything else may be the secret.
        RawSecret::Path(path) if is_file(&path, at) => {
            let instead = format!("write `{{ file: {} }}`", path.expose_secret());
            draft.error(at, "a path alone is read as the secret itself", instead);
            return None;
        }
        RawSecret::Address(_) | RawSecret::Path(_) | RawSecret::Literal => {
            draft.error(at, "this is the secret itself, not the place where it is kept", HOW);
            return None;
        }
    };
    at.only(RawReference::KEYS, draft);
    if raw.exec.is_written() || raw.store.is_written() {
        return stored(*raw, at, draft);
    }
    let has_foreign = refuse_foreign(&raw, at, draft);
    let places = [raw.env.is_written(), raw.file.is_written(), raw.credential.is_written()];
    let count = places.iter().filter(|is_written| **is_written).count();
    if count == 0 && (has_foreign || draft.is_one_meant(at, RawReference::KEYS)) {
        return None;
    }
    if count != 1 {
        draft.error(at, "a secret is kept in exactly one place", HOW);
        return None;
    }
    let env = draft.take(raw.env, &at.key("env")).map(|Word(name)| SecretReference::Env(name));
    let file =
        draft.parse(raw.file, &at.key("file"), written_out).map(|path| SecretReference::File(at.folder().join(path)));
    let credential =
        draft.take(raw.credential, &at.key("credential")).map(|Word(name)| SecretReference::Credential(name));
    let reference = env.or(file).or(credential)?;
    if let SecretReference::Env(name) = &reference
        && let Some(bare) = without_dollar(name)
    {
        let what = format!("the name of a variable is written without `$` here, and `{name}` has one");
        draft.error(at, what, format!("write `{{ env: {bare} }}`"));
        return None;
    }
    if let SecretReference::Env(name) = &reference
        && (name.is_empty() || name.starts_with('$') || name.contains(['=', '\0']))
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

/// The name of a variable as a shell has it: `CONTOSO` of `$CONTOSO` and of `${CONTOSO}`.
fn without_dollar(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('$')?;
    let bare = bare.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(bare);
    let is_name = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    (!bare.is_empty() && bare.chars().all(is_name)).then_some(bare)
}

/// Whether a text is the path of a file, as a path is written there.
pub(super) fn is_file(path: &SecretString, at: &Scope<'_>) -> bool {
    at.folder().join(path.expose_secret()).is_file()
}

/// Complains of each key that belongs to a program or a store, where neither is named.
fn refuse_foreign(raw: &RawReference, at: &Scope<'_>, draft: &mut Draft) -> bool {
    let mut has_foreign = false;
    for (key, owner, is_written) in [
        ("path", "store: NAME", raw.path.is_written()),
        ("field", "store: NAME", raw.field.is_written()),
        ("name", "store: NAME", raw.name.is_written()),
        ("version", "store: NAME", raw.version.is_written()),
        ("timeout", "exec: [PROGRAM]", raw.timeout.is_written()),
    ] {
        if is_written && !has_foreign {
            let (kind, _) = owner.split_once(':').unwrap_or((owner, ""));
            let instead = if key == "path" {
                format!("write `{{ file: PATH }}` for a file, or `{owner}` too")
            } else {
                format!("write `{owner}` too, or `{{ file: PATH }}` or `{{ env: NAME }}` instead")
            };
            draft.error(&at.key(key), format!("`{key}` belongs to `{kind}`, which is not here"), instead);
        }
        has_foreign |= is_written;
    }
    has_foreign
}

/// Whether the name of a variable, file or credential looks like what should be kept there. Files are often named by a GUID.
fn looks_like_a_secret(reference: &SecretReference, at: &Scope<'_>) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    match reference {
        SecretReference::Env(name) => echo(name) != *name || !name.chars().all(is_letter),
        SecretReference::Credential(name) => echo(name) != *name && !has_guid(name),
        SecretReference::File(path) => {
            let written = path.strip_prefix(at.folder()).unwrap_or(path).to_string_lossy();
            written.contains("://") || (!written.contains('/') && echo(&written) == "…" && !has_guid(&written))
        }
        SecretReference::Stored(_) => false,
    }
}

/// Whether a GUID is in a text.
fn has_guid(text: &str) -> bool {
    let is_guid =
        |begin: usize| text.get(begin..begin + GUID_LETTERS).is_some_and(|part| Uuid::parse_str(part).is_ok());
    (0..text.len()).any(is_guid)
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
