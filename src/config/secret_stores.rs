//! Secret stores: written → meant. What a store is opened with is kept outside of stores, so that none waits for another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use url::Url;

use super::{
    credential::credential,
    draft::Draft,
    endpoints::{base_url, is_plain, leads_to_loopback},
    field::{Field, Word},
    private::private,
    raw::RawSecretStore,
    scope::Scope,
    secrets,
    stored::path,
    words::{guid, one_of},
};
use crate::{
    clock::Clock,
    domain::{EntraTenantId, TenantId},
    egress::{Egress, Private},
    microsoft::{Account, Hosts},
    secret_store::{KeyVaultSettings, SignIn, Store, VaultSettings, cloud_of},
};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Vault,
    KeyVault,
}

const KINDS: [(&str, Kind); 2] = [("vault", Kind::Vault), ("key-vault", Kind::KeyVault)];

/// Reads what stands under `secret_stores:`.
pub(super) fn read(raw: Field<BTreeMap<String, Field<RawSecretStore>>>, at: &Scope<'_>, draft: &mut Draft) {
    let mut named = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (name, field) in draft.take(raw, at).unwrap_or_default() {
        let here = at.key(&name);
        match draft.take(field, &here).and_then(|raw| store(&name, raw, &here, draft)) {
            Some(store) => drop(named.insert(name, Arc::new(store))),
            None => drop(broken.insert(name)),
        }
    }
    draft.stores.good.named = named;
    draft.stores.broken = broken;
}

fn store(name: &str, mut raw: RawSecretStore, at: &Scope<'_>, draft: &mut Draft) -> Option<Store> {
    at.only(RawSecretStore::KEYS, draft);
    // The same letters as other names.
    let slug = TenantId::parse(name);
    if slug.is_err() {
        draft.error(at, "this is not a name for a secret store", "use `a-z`, `0-9` and `-`");
    }
    if !raw.r#type.is_written() {
        draft.error(&at.key("type"), "`type` is missing", "write `type: vault` or `type: key-vault`");
    }
    let kind = one_of(std::mem::take(&mut raw.r#type), &at.key("type"), &KINDS, draft)?;
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
        draft.error(&at.key(key), what, format!("delete `{key}`"));
    }
    match kind {
        Kind::Vault => vault(name, raw, at, draft),
        Kind::KeyVault => key_vault(name, slug.ok()?, raw, at, draft),
    }
}

fn vault(name: &str, raw: RawSecretStore, at: &Scope<'_>, draft: &mut Draft) -> Option<Store> {
    let private = private(raw.allow_private, &at.key("allow_private"), draft);
    let here = at.key("address");
    let address = draft.require(raw.address, &here, "https://vault.mssp.example:8200");
    let address = address.and_then(|address| vetted(&address.0, &private, &here, draft));
    let mount = if raw.mount.is_written() {
        draft.parse(raw.mount, &at.key("mount"), |text| path(text, "secret"))
    } else {
        Some("secret".to_owned())
    };
    let has_namespace = raw.namespace.is_written();
    let namespace = draft.parse(raw.namespace, &at.key("namespace"), |text| path(text, "mssp"));
    let (has_token, has_role, has_secret) =
        (raw.token.is_written(), raw.role_id.is_written(), raw.secret_id.is_written());
    let mut secret =
        |field, key| draft.take(field, &at.key(key)).and_then(|raw| secrets::reference(raw, &at.key(key), draft));
    let (token, secret_id) = (secret(raw.token, "token"), secret(raw.secret_id, "secret_id"));
    let role_id = draft.take(raw.role_id, &at.key("role_id")).map(|Word(id)| id);
    let sign_in = match (has_token, has_role, has_secret) {
        (true, false, false) => token.map(SignIn::Token),
        (false, true, true) => {
            role_id.and_then(|role_id| secret_id.map(|secret_id| SignIn::AppRole { role_id, secret_id }))
        }
        _ => {
            let instead = "write `token: { file: … }`, or `role_id` and `secret_id`";
            draft.error(at, "this is half a way to sign in to a Vault, or two, or none", instead);
            None
        }
    };
    let namespace = if has_namespace { Some(namespace?) } else { None };
    let settings = VaultSettings { address: address?, mount: mount?, namespace, sign_in: sign_in?, private };
    Some(Store::vault(name, settings, Clock::System))
}

fn key_vault(name: &str, slug: TenantId, raw: RawSecretStore, at: &Scope<'_>, draft: &mut Draft) -> Option<Store> {
    let private = private(raw.allow_private, &at.key("allow_private"), draft);
    let here = at.key("address");
    let address = draft.require(raw.address, &here, "https://mssp.vault.azure.net");
    let address = address.and_then(|address| vetted(&address.0, &private, &here, draft));
    let entra = draft
        .require(raw.tenant_id, &at.key("tenant_id"), "2f1c0a5e-0000-4000-8000-000000000001")
        .and_then(|Word(text)| guid(&text, &at.key("tenant_id"), draft));
    if !raw.credential.is_written() {
        let instead = "write `credential: { client_id: …, certificate: { file: … } }`";
        draft.error(at, "this store has no `credential`", instead);
    }
    let app = credential(raw.credential, &at.key("credential"), draft);
    let has_login = raw.login.is_written();
    let login = draft.parse(raw.login, &at.key("login"), base_url);
    let address = address?;
    let is_loopback = has_login && is_plain(&address);
    // A simulation stands for the commercial cloud.
    let host = if is_loopback { "x.vault.azure.net".to_owned() } else { host_of(&address) };
    let Some((cloud, scope)) = cloud_of(&host) else {
        let instead = "write `https://NAME.vault.azure.net` or `https://NAME.vault.usgovcloudapi.net`";
        draft.error(&here, "this is not the address of an Azure Key Vault, and no token may go there", instead);
        return None;
    };
    if !is_loopback && !path_of(&address).is_empty() {
        let instead = format!("write `https://{host}`, and `name: …` where a secret is read from it");
        draft.error(&here, "this is the address of something in the vault, not of the vault", instead);
        return None;
    }
    let mut hosts = Hosts::of(cloud, None);
    if has_login {
        let login = login?;
        hosts.loopback = leads_to_loopback(&login);
        hosts.login = login;
    }
    let account = Account { tenant: slug, entra: EntraTenantId(entra?), hosts: Arc::new(hosts), app: Arc::new(app?) };
    Some(Store::key_vault(name, KeyVaultSettings { address, account, scope, private }, Clock::System))
}

fn path_of(address: &str) -> String {
    Url::parse(address).map(|url| url.path().trim_matches('/').to_owned()).unwrap_or_default()
}

fn host_of(address: &str) -> String {
    Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// A base URL to which a request with a secret may go: by `https:`, or on this machine.
fn vetted(text: &str, private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<String> {
    let address = text.trim_end_matches('/');
    if is_plain(address) && !leads_to_loopback(address) {
        let what = "secrets would travel in the open, whatever `allow_private` says";
        draft.error(at, what, "use `https:`, or `http:` with a loopback address");
        return None;
    }
    let is_bare = Url::parse(address).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
    let refused = match Egress::vet(&address.into(), private) {
        Ok(()) if is_bare => return Some(address.to_owned()),
        Ok(()) => "nothing may follow its path".to_owned(),
        Err(error) => error.to_string(),
    };
    let instead = "write the base URL; a store inside your network, or on another port, needs `allow_private: [CIDR]`";
    draft.error(at, format!("no request may go there: {refused}"), instead);
    None
}
