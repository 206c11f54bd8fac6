//! A Key Vault's protocol: whose token goes where, and what each refusal means.

use uuid::Uuid;

use super::*;
use crate::{
    domain::{Cloud, EntraTenantId, TenantId},
    microsoft::{Account, AppCredential, Hosts},
};

/// A Key Vault whose Entra is the same server.
async fn key_vault(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> World {
    let server = Server::start(move |seen| {
        if seen.is("POST /00000000-0000-0000-0000-000000000001/oauth2/v2.0/token ") {
            assert!(seen.body.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default"), "{}", seen.body);
            assert!(seen.body.contains("client_secret=the-apps"), "{}", seen.body);
            return reply(200, "", r#"{"token_type":"Bearer","expires_in":3600,"access_token":"the-token"}"#);
        }
        assert!(seen.head.contains("authorization: Bearer the-token"), "{}", seen.head);
        answer(seen)
    })
    .await;
    let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
    let folder = tempfile::tempdir().unwrap();
    let app = AppCredential::with_secret(Uuid::from_u128(2), token_file(&folder, "the-apps"));
    let _ = folder.keep();
    let hosts = Hosts { login: server.url(""), loopback: true, ..Hosts::of(Cloud::Commercial, None) };
    let account = Account {
        tenant: TenantId::parse("azure").unwrap(),
        entra: EntraTenantId(Uuid::from_u128(1)),
        hosts: Arc::new(hosts),
        app: Arc::new(app),
    };
    let (_, scope) = cloud_of("mssp.vault.azure.net").unwrap();
    let settings = KeyVaultSettings { address: server.url(""), account, scope, private: Private::Loopback };
    let store = Arc::new(Store::key_vault("azure", settings, clock.clone()));
    World { server, clock, store }
}

#[tokio::test]
async fn its_token_requests_are_counted_where_the_service_counts() {
    let world = key_vault(|_| reply(200, "", format!(r#"{{"value":"{CANARY}"}}"#))).await;
    let named_stores = BTreeMap::from([("azure".to_owned(), Arc::clone(&world.store))]);
    let (stores, metrics) = (SecretStores { named: named_stores, ..SecretStores::default() }, Metrics::default());
    stores.count_in(&metrics);
    assert_eq!(read(&reference(&world.store, named("contoso", None))).await, Ok(CANARY.to_owned()));
    let page = metrics.render(None);
    assert!(page.contains("scorewatch_token_requests_total{outcome=\"ok\"} 1"), "{page}");
}

fn named(name: &str, version: Option<&str>) -> Item {
    Item::Named { name: name.to_owned(), version: version.map(str::to_owned) }
}

#[tokio::test]
async fn a_secret_is_requested_as_the_api_says_and_has_its_expiry_date() {
    let world = key_vault(|_| {
        reply(200, "", format!(r#"{{"value":"{CANARY}","id":"x","attributes":{{"enabled":true,"exp":1800000000}}}}"#))
    })
    .await;
    for (name, version, asked) in
        [("contoso", None, "/secrets/contoso?api-version=7.4 "), ("a", Some("0f"), "/secrets/a/0f?api-version=7.4 ")]
    {
        let secret = reference(&world.store, named(name, version));
        assert_eq!(read(&secret).await, Ok(CANARY.to_owned()));
        assert_eq!(secret.expires_at(), Some(Timestamp::from_seconds(1_800_000_000)));
        assert_eq!(world.server.count(&format!("GET {asked}")), 1);
    }
    assert_eq!(world.server.count("POST "), 1, "one token for both");
}

#[tokio::test]
async fn every_refusal_is_explained() {
    let inner = |code: &str| {
        format!(r#"{{"error":{{"code":"Forbidden","message":"{CANARY}","innererror":{{"code":"{code}"}}}}}}"#)
    };
    for (status, body, reported) in [
        (401, inner(CANARY), "rejects the token; check the store's `tenant_id`"),
        (403, inner("ForbiddenByRbac"), "*Key Vault Secrets User*"),
        (403, inner("ForbiddenByFirewall"), "firewall"),
        (403, inner("SecretDisabled"), "is disabled"),
        (404, inner("SecretNotFound"), "no secret of this name"),
        (429, inner("Throttled"), "throttles requests (429)"),
        (500, inner(CANARY), "the Key Vault answered 500"),
        (200, "{}".to_owned(), "contains no secret"),
        (200, r#"{"value":""}"#.to_owned(), "is empty"),
    ] {
        let answer = body.clone();
        let world = key_vault(move |_| reply(status, "", &answer)).await;
        let error = world.read_in_flowing_time(named("contoso", None)).await.unwrap_err();
        assert!(error.contains(reported), "{status} {body}: {error}");
    }
}

#[tokio::test]
async fn a_failed_sign_in_is_reported_with_its_reason() {
    let server = Server::start(|_| {
        reply(401, "", r#"{"error":"invalid_client","error_description":"x","error_codes":[7000215]}"#)
    })
    .await;
    let world = key_vault(|_| value(0)).await;
    let Source::KeyVault(vault) = &world.store.source else { unreachable!() };
    let mut settings = vault.settings().clone();
    let hosts = Hosts { login: server.url(""), ..(*settings.account.hosts).clone() };
    settings.account.hosts = Arc::new(hosts);
    let store = Arc::new(Store::key_vault("azure", settings, world.clock.clone()));
    let reported = read(&reference(&store, named("contoso", None))).await.unwrap_err();
    assert!(reported.contains("secret contoso in the secret store azure: can't be read:"), "{reported}");
    assert!(server.seen().iter().all(|seen| seen.is("POST ")), "no token, no question");
}

#[test]
fn tokens_go_to_key_vaults_only() {
    for (host, scope) in [
        ("mssp.vault.azure.net", Some("https://vault.azure.net/.default")),
        ("mssp-eu-1.vault.usgovcloudapi.net", Some("https://vault.usgovcloudapi.net/.default")),
        ("vault.azure.net", None),
        (".vault.azure.net", None),
        ("a.b.vault.azure.net", None),
        ("mssp.vault.azure.net.evil.example", None),
        ("mssp-vault.azure.net", None),
        ("evil.example", None),
    ] {
        assert_eq!(cloud_of(host).map(|(_, scope)| scope), scope, "{host}");
    }
    assert_eq!(cloud_of("a.vault.usgovcloudapi.net").unwrap().0, Cloud::GccHigh);
}

impl World {
    /// Asks with a clock that runs while something waits for it.
    async fn read_in_flowing_time(&self, item: Item) -> Result<String, String> {
        let secret = reference(&self.store, item);
        let flow = async {
            loop {
                self.clock.advance(Duration::from_millis(50));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { read = read(&secret) => read, () = flow => unreachable!() }
    }
}
