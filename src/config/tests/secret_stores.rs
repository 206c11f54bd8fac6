//! Secret stores, and references to what is in them.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{MAIN, RULES, TENANT, lay_out, load_in};

const STORES: &str = "
secret_stores:
  corp: { type: vault, address: https://vault.mssp.example, token: { file: secret } }
  role: { type: vault, address: \"https://10.0.0.9:8200\", allow_private: [10.0.0.0/8], role_id: r, secret_id: { file: secret }, mount: kv, namespace: a/b }
  azure:
    type: key-vault
    address: https://mssp.vault.azure.net
    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
    credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secret } }
";

/// The problems of a configuration with these stores and a client secret kept like that.
fn problems(stores: &str, secret: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let tenant = TENANT.replace("{ file: ../secret }", secret);
    lay_out(folder.path(), format!("{MAIN}{stores}").as_bytes(), tenant.as_bytes(), RULES.as_bytes());
    let program = folder.path().join("tenants/get-secret");
    fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o700)).unwrap();
    load_in(folder.path()).1
}

#[test]
fn a_secret_may_be_kept_in_any_store_and_none_is_asked_for_it() {
    for secret in [
        "{ exec: [get-secret] }",
        "{ exec: [get-secret, a, 5, \"b c\"], timeout: 30s }",
        "{ exec: [/bin/true] }",
        "{ store: corp, path: tenants/contoso }",
        "{ store: role, path: /a/b_c.d/, field: client-secret }",
        "{ store: azure, name: contoso-secret }",
        "{ store: azure, name: contoso, version: 0123456789abcdef0123456789abcdef }",
    ] {
        assert_eq!(problems(STORES, secret), "0 problems in 0 files", "{secret}");
    }
}

#[test]
fn a_bad_reference_is_reported_at_its_place() {
    for (secret, reported) in [
        ("{ exec: [] }", "there is no program"),
        ("{ exec: get-secret }", "expected a list, found text"),
        ("{ exec: [no-such-program] }", "this is not a program that can be run"),
        ("{ exec: [contoso.yaml] }", "this is not a program that can be run"),
        ("{ exec: [get-secret], timeout: 2m }", "a program gets up to a minute"),
        ("{ exec: [get-secret], env: X }", "`env` does not belong to this reference"),
        ("{ store: cropp, path: x }", "use one of `azure`, `corp`, `role`"),
        ("{ store: corp }", "`path` is missing"),
        ("{ store: corp, path: a/../b }", "this is not a path of letters"),
        ("{ store: corp, path: \"a?b\" }", "this is not a path of letters"),
        ("{ store: corp, name: x }", "`name` does not belong to this reference"),
        ("{ store: azure, path: x }", "`path` does not belong to this reference"),
        ("{ store: azure, name: a_b }", "a Key Vault has no such name"),
        ("{ store: azure, name: a, version: \"a/b\" }", "this is not a version"),
        (
            "{ path: x }",
            "`path` belongs to `store`, which is not here; write `{ file: PATH }` for a file, or `store: NAME` too",
        ),
    ] {
        let text = problems(STORES, secret);
        assert!(text.contains(reported) && text.contains("tenants/contoso.yaml:6:"), "{secret}: {text}");
    }
}

/// Stores that are not as they should be, and what is said of them.
fn broken_stores() -> Vec<(String, &'static str)> {
    let app = "credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secret } }";
    let guid = "tenant_id: 2f1c0a5e-0000-4000-8000-000000000001";
    let azure = format!("type: key-vault, {guid}, {app}");
    vec![
        ("{ }".to_owned(), "`type` is missing"),
        ("{ type: voult }".to_owned(), "vault"),
        ("{ type: vault, address: https://x.example }".to_owned(), "half a way to sign in to a Vault"),
        ("{ type: vault, address: https://x.example, role_id: x }".to_owned(), "half a way to sign in to a Vault"),
        ("{ type: vault, token: { file: secret } }".to_owned(), "`address` is missing"),
        (
            "{ type: vault, address: \"https://10.0.0.1:8200\", token: { file: secret } }".to_owned(),
            "needs `allow_private: [CIDR]`",
        ),
        (
            "{ type: vault, address: \"http://10.0.0.1:8200\", allow_private: [10.0.0.0/8], token: { file: secret } }"
                .to_owned(),
            "secrets would travel in the open",
        ),
        (
            "{ type: vault, address: \"HTTP://vault.internal\", allow_private: true, token: { file: secret } }"
                .to_owned(),
            "secrets would travel in the open",
        ),
        (
            format!(
                "{{ {azure}, address: \"http://10.0.0.1:8200\", allow_private: true, login: \"http://127.0.0.1:1\" }}"
            ),
            "secrets would travel in the open",
        ),
        (format!("{{ {azure}, address: \"http://m.vault.azure.net\", allow_private: true }}"), "travel in the open"),
        (
            format!(
                "{{ {azure}, address: \"http://localhost.evil.example\", allow_private: true, login: \"http://127.0.0.1:1\" }}"
            ),
            "secrets would travel in the open",
        ),
        (
            format!(
                "{{ {azure}, address: \"http://127.0.0.1:1\", allow_private: true, login: \"http://10.0.0.1:1\" }}"
            ),
            "secrets would travel in the open",
        ),
        (
            "{ type: vault, address: \"https://169.254.169.254\", allow_private: true, token: { file: secret } }"
                .to_owned(),
            "no request may go there",
        ),
        ("{ type: vault, address: https://x.example, token: s3cr3t }".to_owned(), "this is the secret itself"),
        (
            "{ type: vault, address: https://x.example, token: { store: broken, path: x } }".to_owned(),
            "what opens a store is kept outside of stores",
        ),
        (
            "{ type: vault, address: https://x.example, token: { file: secret }, login: x }".to_owned(),
            "only a store of type `key-vault`",
        ),
        (format!("{{ {azure}, address: https://x.example }}"), "no token may go there"),
        (format!("{{ {azure}, address: https://mssp.vault.azure.net.evil.example }}"), "no token may go there"),
        (
            format!("{{ {azure}, address: https://m.vault.azure.net/secrets/x }}"),
            "write `https://m.vault.azure.net`, and",
        ),
        (
            format!("{{ type: key-vault, address: https://m.vault.azure.net, {guid} }}"),
            "this store has no `credential`",
        ),
        (format!("{{ type: key-vault, address: https://m.vault.azure.net, {app} }}"), "`tenant_id` is missing"),
    ]
}

#[test]
fn a_bad_secret_store_is_reported_once_and_not_again_where_it_is_named() {
    for (store, reported) in broken_stores() {
        let text = problems(&format!("secret_stores:\n  broken: {store}\n"), "{ store: broken, path: x }");
        assert!(text.contains(reported) && text.contains("scorewatch.yaml:14:"), "{store}: {text}");
        assert!(!text.contains("tenants/contoso.yaml") && !text.contains("s3cr3t"), "{store}: {text}");
    }
}
