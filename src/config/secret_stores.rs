//! Secret stores: written → meant. What a store is opened with is kept outside of stores, so that none waits for another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use url::Url;

use super::{
    credential::credential,
    endpoints::{base_url, is_plain, leads_to_loopback},
    field::{Field, Word},
    private::private,
    raw::{RawReference, RawSecretStore},
    scope::{Problems, Scope, quoted},
    secrets,
    words::{guid, one_of},
};
use crate::{
    clock::Clock,
    domain::{Complaint, EntraTenantId, TenantId, parse_duration},
    egress::{Egress, Private},
    microsoft::{Account, Hosts},
    secret::{Item, SecretReference, Stored},
    secret_store::{KeyVaultSettings, PROGRAM_TIME_LIMIT, SecretStores, SignIn, Store, VaultSettings, cloud_of},
};

/// Longest time that a program may be given: a check waits for it.
const PROGRAM_TIME_LIMIT_MAX: Duration = Duration::from_mins(1);
/// The field of a Vault's secret that is read unless another is named.
const FIELD: &str = "value";
/// Longest name of a Key Vault's secret ("Key Vault object identifiers").
const NAME_LETTERS_MAX: usize = 127;

/// The stores read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Stores {
    pub(super) good: SecretStores,
    /// Those that were told to be wrong.
    broken: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Vault,
    KeyVault,
}

const KINDS: [(&str, Kind); 2] = [("vault", Kind::Vault), ("key-vault", Kind::KeyVault)];

/// Reads what stands under `secret_stores:`.
pub(super) fn read(raw: Field<BTreeMap<String, Field<RawSecretStore>>>, at: &Scope<'_>, problems: &mut Problems) {
    let mut named = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (name, field) in problems.take(raw, at).unwrap_or_default() {
        let here = at.key(&name);
        match problems.take(field, &here).and_then(|raw| store(&name, raw, &here, problems)) {
            Some(store) => drop(named.insert(name, Arc::new(store))),
            None => drop(broken.insert(name)),
        }
    }
    problems.stores.good.named = named;
    problems.stores.broken = broken;
}

fn store(name: &str, mut raw: RawSecretStore, at: &Scope<'_>, problems: &mut Problems) -> Option<Store> {
    at.only(RawSecretStore::KEYS, problems);
    // The same letters as other names.
    let slug = TenantId::parse(name);
    if slug.is_err() {
        problems.error(at, "this is no name of a secret store", "use `a-z`, `0-9` and `-`");
    }
    if !raw.r#type.is_written() {
        problems.error(&at.key("type"), "`type` is missing", "write `type: vault` or `type: key-vault`");
    }
    let kind = one_of(std::mem::take(&mut raw.r#type), &at.key("type"), &KINDS, problems)?;
    let of_vault = [
        ("token", raw.token.is_written()),
        ("role_id", raw.role_id.is_written()),
        ("secret_id", raw.secret_id.is_written()),
        ("namespace", raw.namespace.is_written()),
        ("mount", raw.mount.is_written()),
    ];
    let of_key_vault = [
        ("tenant_id", raw.tenant_id.is_written()),
        ("credential", raw.credential.is_written()),
        ("login", raw.login.is_written()),
    ];
    let (strange, owner) = match kind {
        Kind::Vault => (&of_key_vault[..], "key-vault"),
        Kind::KeyVault => (&of_vault[..], "vault"),
    };
    for (key, _) in strange.iter().filter(|(_, is_written)| *is_written) {
        let what = format!("only a store of type `{owner}` has it");
        problems.error(&at.key(key), what, format!("delete `{key}`"));
    }
    match kind {
        Kind::Vault => vault(name, raw, at, problems),
        Kind::KeyVault => key_vault(name, slug.ok()?, raw, at, problems),
    }
}

fn vault(name: &str, raw: RawSecretStore, at: &Scope<'_>, problems: &mut Problems) -> Option<Store> {
    let private = private(raw.allow_private, &at.key("allow_private"), problems);
    let here = at.key("address");
    let address = problems.require(raw.address, &here, "https://vault.mssp.example:8200");
    let address = address.and_then(|address| vetted(&address.0, &private, &here, problems));
    let mount = if raw.mount.is_written() {
        problems.parse(raw.mount, &at.key("mount"), |text| path(text, "secret"))
    } else {
        Some("secret".to_owned())
    };
    let has_namespace = raw.namespace.is_written();
    let namespace = problems.parse(raw.namespace, &at.key("namespace"), |text| path(text, "mssp"));
    let (has_token, has_role, has_secret) =
        (raw.token.is_written(), raw.role_id.is_written(), raw.secret_id.is_written());
    let mut secret =
        |field, key| problems.take(field, &at.key(key)).and_then(|raw| secrets::reference(raw, &at.key(key), problems));
    let (token, secret_id) = (secret(raw.token, "token"), secret(raw.secret_id, "secret_id"));
    let role_id = problems.take(raw.role_id, &at.key("role_id")).map(|Word(id)| id);
    let sign_in = match (has_token, has_role, has_secret) {
        (true, false, false) => token.map(SignIn::Token),
        (false, true, true) => {
            role_id.and_then(|role_id| secret_id.map(|secret_id| SignIn::AppRole { role_id, secret_id }))
        }
        _ => {
            let instead = "write `token: { file: … }`, or `role_id` and `secret_id`";
            problems.error(at, "this is half a way to sign in to a Vault, or two, or none", instead);
            None
        }
    };
    let namespace = if has_namespace { Some(namespace?) } else { None };
    let settings = VaultSettings { address: address?, mount: mount?, namespace, sign_in: sign_in?, private };
    Some(Store::vault(name, settings, Clock::System))
}

fn key_vault(
    name: &str,
    slug: TenantId,
    raw: RawSecretStore,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Option<Store> {
    let private = private(raw.allow_private, &at.key("allow_private"), problems);
    let here = at.key("address");
    let address = problems.require(raw.address, &here, "https://mssp.vault.azure.net");
    let address = address.and_then(|address| vetted(&address.0, &private, &here, problems));
    let entra = problems
        .require(raw.tenant_id, &at.key("tenant_id"), "2f1c0a5e-0000-4000-8000-000000000001")
        .and_then(|Word(text)| guid(&text, &at.key("tenant_id"), problems));
    if !raw.credential.is_written() {
        let instead = "write `credential: { client_id: …, certificate: { file: … } }`";
        problems.error(at, "this store has no `credential`", instead);
    }
    let app = credential(raw.credential, &at.key("credential"), problems);
    let has_login = raw.login.is_written();
    let login = problems.parse(raw.login, &at.key("login"), base_url);
    let address = address?;
    let is_loopback = has_login && is_plain(&address);
    // A simulation stands for the commercial cloud.
    let host = if is_loopback { "x.vault.azure.net".to_owned() } else { host_of(&address) };
    let Some((cloud, scope)) = cloud_of(&host) else {
        let instead = "write `https://NAME.vault.azure.net` or `https://NAME.vault.usgovcloudapi.net`";
        problems.error(&here, "this is no address of an Azure Key Vault, and no token may go there", instead);
        return None;
    };
    let mut hosts = Hosts::of(cloud, None);
    if has_login {
        let login = login?;
        hosts.loopback = leads_to_loopback(&login);
        hosts.login = login;
    }
    let account = Account { tenant: slug, entra: EntraTenantId(entra?), hosts: Arc::new(hosts), app: Arc::new(app?) };
    Some(Store::key_vault(name, KeyVaultSettings { address, account, scope, private }, Clock::System))
}

fn host_of(address: &str) -> String {
    Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// A base URL to which a request with a secret may go: by `https:`, or on this machine.
fn vetted(text: &str, private: &Private, at: &Scope<'_>, problems: &mut Problems) -> Option<String> {
    let address = text.trim_end_matches('/');
    if is_plain(address) && !leads_to_loopback(address) {
        let what = "secrets would travel in the open, whatever `allow_private` says";
        problems.error(at, what, "use `https:`, or `http:` with a loopback address");
        return None;
    }
    let is_bare = Url::parse(address).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
    let refused = match Egress::vet(&address.into(), private) {
        Ok(()) if is_bare => return Some(address.to_owned()),
        Ok(()) => "nothing may follow its path".to_owned(),
        Err(error) => error.to_string(),
    };
    let instead = "write the base URL; a store inside your network, or on another port, needs `allow_private: [CIDR]`";
    problems.error(at, format!("no request may go there: {refused}"), instead);
    None
}

/// A path whose parts need no escape.
fn path(text: &str, example: &str) -> Result<String, Complaint> {
    let is_part = |part: &str| {
        let letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.~".contains(&letter);
        !part.is_empty() && part.bytes().all(letter) && !part.bytes().all(|letter| letter == b'.')
    };
    let path = text.trim_matches('/');
    if path.split('/').all(is_part) {
        Ok(path.to_owned())
    } else {
        Err(Complaint::new(
            "this is no path of letters, digits, `-`, `_`, `.` and `/`",
            format!("write one like `{example}`"),
        ))
    }
}

/// What a reference to a program or a store means; `None`: it is no such reference, or was told to be wrong.
pub(super) fn stored(raw: RawReference, at: &Scope<'_>, problems: &mut Problems) -> Option<SecretReference> {
    if raw.exec.is_written() {
        misplaced(&raw, &["exec", "timeout"], at, problems);
        return program(raw, at, problems);
    }
    let Word(name) = problems.take(raw.store.clone(), &at.key("store"))?;
    let Some(store) = problems.stores.good.named.get(&name).cloned() else {
        if !problems.stores.broken.contains(&name) {
            let names: Vec<&String> = problems.stores.good.named.keys().collect();
            let instead = if names.is_empty() {
                "define it under `secret_stores:` of the main file; what opens a store is kept outside of stores"
                    .to_owned()
            } else {
                format!("use one of {}, or define it under `secret_stores:` of the main file", quoted(&names))
            };
            problems.error(&at.key("store"), "there is no secret store of this name", instead);
        }
        return None;
    };
    let item = if store.is_key_vault() {
        misplaced(&raw, &["store", "name", "version"], at, problems);
        let named = problems.require(raw.name, &at.key("name"), "contoso");
        let is_name = |text: &str| text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
        let fits = |text: &String| !text.is_empty() && text.len() <= NAME_LETTERS_MAX && is_name(text);
        let name = named.map(|Word(text)| text).filter(fits);
        if name.is_none() {
            problems.error(&at.key("name"), "a Key Vault has no such name", "use letters, digits and `-`");
        }
        let has_version = raw.version.is_written();
        let version = problems.parse(raw.version, &at.key("version"), |text| {
            let is_version = !text.is_empty() && text.len() <= NAME_LETTERS_MAX && is_name(text);
            is_version
                .then(|| text.to_owned())
                .ok_or_else(|| Complaint::new("this is no version", "copy its 32 letters"))
        });
        Item::Named { name: name?, version: if has_version { Some(version?) } else { None } }
    } else {
        misplaced(&raw, &["store", "path", "field"], at, problems);
        let here = at.key("path");
        if !raw.path.is_written() {
            problems.error(&here, "`path` is missing", "write `path: tenants/contoso`");
        }
        let path = problems.parse(raw.path, &here, |text| path(text, "tenants/contoso"));
        let field = problems.take(raw.field, &at.key("field")).map_or_else(|| FIELD.to_owned(), |Word(field)| field);
        Item::Field { path: path?, field }
    };
    Some(SecretReference::Stored(Stored { store, item: Arc::new(item) }))
}

/// Complains of every other key.
fn misplaced(raw: &RawReference, allowed: &[&str], at: &Scope<'_>, problems: &mut Problems) {
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
            problems.error(&at.key(key), format!("`{key}` does not belong to this reference"), instead);
        }
    }
}

/// A program and its arguments.
fn program(raw: RawReference, at: &Scope<'_>, problems: &mut Problems) -> Option<SecretReference> {
    let here = at.key("exec");
    let has_limit = raw.timeout.is_written();
    let limit = problems.parse(raw.timeout, &at.key("timeout"), |text| match parse_duration(text)? {
        limit if limit > Duration::ZERO && limit <= PROGRAM_TIME_LIMIT_MAX => Ok(limit),
        _ => Err(Complaint::new("a program gets up to a minute", "write a time like `10s`")),
    });
    let time_limit = if has_limit { limit? } else { PROGRAM_TIME_LIMIT };
    let Field::Good(words) = &raw.exec else {
        problems.take(raw.exec, &here);
        return None;
    };
    let count = words.len();
    let words: Vec<String> = problems.items(raw.exec, &here).into_iter().map(|(_, Word(word))| word).collect();
    if words.len() != count {
        return None;
    }
    let mut words = words.into_iter();
    let Some(program) = words.next().filter(|program| !program.is_empty()) else {
        problems.error(&here, "there is no program", "write `exec: [./get-secret, contoso]`");
        return None;
    };
    let program = at.folder().join(program);
    problems.watched.file(&program);
    if !is_executable(&program) {
        let instead = "write an absolute path, or one relative to this file, and let this process run it";
        problems.error(&here, "this is no program that can be run", instead);
        return None;
    }
    let item = Item::Output { program, arguments: words.collect(), folder: at.folder().to_owned(), time_limit };
    let store = Arc::clone(&problems.stores.good.programs);
    Some(SecretReference::Stored(Stored { store, item: Arc::new(item) }))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
