//! An app's credential, or several while they rotate: written → meant.

use super::{
    draft::Draft,
    field::{Field, Word},
    raw::{OneOrMany, RawCredential},
    scope::Scope,
    secrets,
    trial::Form,
    words::{day, guid},
};
use crate::microsoft::{AppCredential, CredentialKind, CredentialMaterial};

/// What an app may prove itself with.
const MATERIALS: &str = "write one of `secret:`, `certificate:` and `federated_token:`";

/// Reads what stands under `credential:`.
pub(super) fn credential(
    raw: Field<OneOrMany<RawCredential>>,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Option<AppCredential> {
    let written = match draft.take(raw, at)? {
        OneOrMany::One(raw) => {
            return one(*raw, at, draft)
                .map(|(client_id, material)| AppCredential { client_id, materials: vec![material] });
        }
        OneOrMany::Many(written) => written,
    };
    if written.is_empty() {
        draft.error(at, "there is no credential in the list", "write one, or two while they rotate, newest first");
    }
    let count = written.len();
    let mut app: Option<AppCredential> = None;
    let mut read = 0;
    for (index, field) in written.into_iter().enumerate() {
        let here = at.item(index);
        let Some((client_id, material)) = draft.take(field, &here).and_then(|raw| one(raw, &here, draft)) else {
            continue;
        };
        let app = app.get_or_insert_with(|| AppCredential { client_id, materials: Vec::new() });
        if app.client_id != client_id {
            let what = "this `client_id` is another than that of the first credential";
            draft.error(&here.key("client_id"), what, "list credentials of one app only");
            continue;
        }
        app.materials.push(material);
        read += 1;
    }
    app.filter(|_| read == count)
}

fn one(raw: RawCredential, at: &Scope<'_>, draft: &mut Draft) -> Option<(uuid::Uuid, CredentialMaterial)> {
    at.only(RawCredential::KEYS, draft);
    let client_id = draft
        .require(raw.client_id, &at.key("client_id"), "6d2a0000-0000-4000-8000-000000000002")
        .and_then(|Word(text)| guid(&text, &at.key("client_id"), draft));
    let expires = draft.parse(raw.expires, &at.key("expires"), day);
    if let Some(day) = expires {
        draft.world.expiries.push((at.key("expires").place(), at.key("expires").path(), day));
    }
    let (here, has_password) = (at.key("certificate_password"), raw.certificate_password.is_written());
    let password = draft.take(raw.certificate_password, &here).and_then(|raw| secrets::reference(raw, &here, draft));
    if has_password && !raw.certificate.is_written() {
        draft.error(&here, "there is no certificate that it opens", "write `certificate: { file: x.pfx }` too");
    }
    let written: Vec<_> = [
        (CredentialKind::Secret, "secret", raw.secret),
        (CredentialKind::Certificate, "certificate", raw.certificate),
        (CredentialKind::FederatedToken, "federated_token", raw.federated_token),
    ]
    .into_iter()
    .filter(|(_, _, field)| field.is_written())
    .collect();
    match written.len() {
        0 if draft.is_one_meant(at, &["secret", "certificate", "federated_token"]) => {}
        0 => draft.error(at, "the app has nothing to prove itself with", MATERIALS),
        1 => {}
        _ => draft.error(
            at,
            "an app proves itself in one way at a time",
            format!("{MATERIALS}, or a list of credentials, newest first"),
        ),
    }
    let is_one = written.len() == 1;
    let mut material = None;
    for (kind, key, field) in written {
        let here = at.key(key);
        let kept = draft.take(field, &here).and_then(|raw| secrets::untried(raw, &here, draft));
        let kept = kept.filter(|_| !has_password || password.is_some());
        material = kept.map(|kept| CredentialMaterial {
            password: password.clone(),
            expires,
            ..CredentialMaterial::new(kind, kept)
        });
        if let Some(material) = &material {
            secrets::note(&material.kept, material.form().unwrap_or(Form::Text), &here, draft);
        }
    }
    Some((client_id?, material.filter(|_| is_one)?))
}
