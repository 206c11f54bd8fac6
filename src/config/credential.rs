//! An app's credential, or several while they rotate: written → meant. A certificate is opened, and what is wrong with it told.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{
    field::{Field, Word},
    raw::{OneOrMany, RawCredential},
    scope::{Problems, Scope},
    secrets,
    words::{day, guid},
};
use crate::{
    clock::Clock,
    domain::Timestamp,
    microsoft::{AppCredential, Certificate, Proof, ProofKind},
    secret::{ExposeSecret, SecretReference},
};

/// What an app may prove itself with.
const PROOFS: &str = "write one of `secret:`, `certificate:` and `federated_token:`";
/// Bits of a file's mode that let others read or change it; a group of its own may read.
const OPEN_TO_OTHERS: u32 = 0o027;

/// Reads what stands under `credential:`.
pub(super) fn credential(
    raw: Field<OneOrMany<RawCredential>>,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Option<AppCredential> {
    let written = match problems.take(raw, at)? {
        OneOrMany::One(raw) => {
            return one(*raw, at, problems).map(|(client_id, proof)| AppCredential { client_id, proofs: vec![proof] });
        }
        OneOrMany::Many(written) => written,
    };
    if written.is_empty() {
        problems.error(at, "there is no credential in the list", "write one, or two while they rotate, newest first");
    }
    let count = written.len();
    let mut app: Option<AppCredential> = None;
    let mut read = 0;
    for (index, field) in written.into_iter().enumerate() {
        let here = at.item(index);
        let Some((client_id, proof)) = problems.take(field, &here).and_then(|raw| one(raw, &here, problems)) else {
            continue;
        };
        let app = app.get_or_insert_with(|| AppCredential { client_id, proofs: Vec::new() });
        if app.client_id != client_id {
            let what = "this `client_id` is another than that of the first credential";
            problems.error(&here.key("client_id"), what, "list credentials of one app only");
            continue;
        }
        app.proofs.push(proof);
        read += 1;
    }
    app.filter(|_| read == count)
}

fn one(raw: RawCredential, at: &Scope<'_>, problems: &mut Problems) -> Option<(uuid::Uuid, Proof)> {
    at.only(RawCredential::KEYS, problems);
    let client_id = problems
        .require(raw.client_id, &at.key("client_id"), "6d2a0000-0000-4000-8000-000000000002")
        .and_then(|Word(text)| guid(&text, &at.key("client_id"), problems));
    let expires = problems.parse(raw.expires, &at.key("expires"), day);
    let (here, has_password) = (at.key("certificate_password"), raw.certificate_password.is_written());
    let password =
        problems.take(raw.certificate_password, &here).and_then(|raw| secrets::reference(raw, &here, problems));
    if has_password && !raw.certificate.is_written() {
        problems.error(&here, "there is no certificate that it opens", "write `certificate: { file: x.pfx }` too");
    }
    let written: Vec<_> = [
        (ProofKind::Secret, "secret", raw.secret),
        (ProofKind::Certificate, "certificate", raw.certificate),
        (ProofKind::FederatedToken, "federated_token", raw.federated_token),
    ]
    .into_iter()
    .filter(|(_, _, field)| field.is_written())
    .collect();
    match written.len() {
        0 => problems.error(at, "the app has nothing to prove itself with", PROOFS),
        1 => {}
        _ => problems.error(
            at,
            "an app proves itself in one way at a time",
            format!("{PROOFS}, or a list of credentials, newest first"),
        ),
    }
    let is_one = written.len() == 1;
    let mut proof = None;
    for (kind, key, field) in written {
        let here = at.key(key);
        let read = if kind == ProofKind::Certificate { secrets::reference_to_bytes } else { secrets::reference };
        let kept = problems.take(field, &here).and_then(|raw| read(raw, &here, problems));
        let kept = kept.filter(|_| !has_password || password.is_some());
        proof = kept.map(|kept| Proof { password: password.clone(), expires, ..Proof::new(kind, kept) });
        if kind == ProofKind::Certificate
            && let Some(proof) = &proof
        {
            check_certificate(proof, &here, problems);
        }
    }
    Some((client_id?, proof.filter(|_| is_one)?))
}

/// Opens a certificate, so that what is wrong is known before Entra is asked. One that has expired is no error: a restart
/// must not leave the other tenants unwatched.
fn check_certificate(proof: &Proof, at: &Scope<'_>, problems: &mut Problems) {
    for reference in proof.references() {
        if let SecretReference::File(path) = reference {
            problems.watched.file(path);
        }
    }
    if let SecretReference::File(path) = &proof.kept {
        let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & OPEN_TO_OTHERS != 0 {
            let what = format!("others may read or change the file with the private key (mode {:03o})", mode & 0o777);
            problems.warning(at, what, "let nobody else in: `chmod 600`");
        }
    }
    // What a store keeps is not known yet.
    let Ok(kept) = proof.kept.resolve_bytes() else { return };
    let Ok(password) = proof.password.as_ref().map(SecretReference::resolve).transpose() else { return };
    match Certificate::open(kept.expose_secret(), password.as_ref().map(ExposeSecret::expose_secret)) {
        Err(error) => problems.error(at, format!("{} {error}", secrets::place(&proof.kept, at)), error.hint()),
        Ok(certificate) => warn_of(&certificate, Clock::System.now(), at, problems),
    }
}

fn warn_of(certificate: &Certificate, now: Timestamp, at: &Scope<'_>, problems: &mut Problems) {
    let day = |instant: Timestamp| instant.to_chrono().date_naive();
    if certificate.not_after() <= now {
        let what = format!("the certificate expired on {}", day(certificate.not_after()));
        problems.warning(at, what, "make a new one and upload it to the app registration");
    }
    if now < certificate.not_before() {
        let what = format!("the certificate holds from {} on only", day(certificate.not_before()));
        problems.warning(at, what, "wait until then, or check this machine's clock");
    }
    if let Some(number) = certificate.misplaced() {
        let what = format!("certificate {number} of the file did not issue the one before it");
        problems.warning(
            at,
            what,
            "order the chain: the app's own certificate, then the one that issued it, and so on",
        );
    }
}
