//! Signing in with what is not a client secret, against a cloud that verifies it.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use scorewatch::{
    clock::Clock,
    domain::{Cloud as NationalCloud, EntraTenantId, ScoreKind, TenantId, Timestamp},
    egress::Egress,
    microsoft::{
        Account, AppCredential, CredentialKind, CredentialMaterial, FailureClass, FetchError, Hosts, Microsoft,
    },
    secret::{Item, SecretReference, SecretStore, SecretString, Stored},
    simulation::{
        Cloud,
        cloud::{CloudSettings, EntraRefusal, Now, SignIn},
    },
    telemetry::Metrics,
};
use uuid::Uuid;

use crate::harness::Pair;

const TENANT: EntraTenantId = EntraTenantId(Uuid::from_u128(1));
const APP: Uuid = Uuid::from_u128(2);

/// A cloud that verifies, a client with a clock of its own, and a folder for the app's credentials.
struct Fixture {
    cloud: Cloud,
    /// The client's clock.
    clock: Clock,
    microsoft: Microsoft,
    folder: tempfile::TempDir,
}

fn start() -> Timestamp {
    Timestamp::parse("2026-11-24T12:00:00Z").unwrap()
}

impl Fixture {
    /// The cloud's time stands still.
    async fn new() -> Self {
        Self::with(Clock::manual(start()), Arc::new(start)).await
    }

    /// The cloud's time is the client's.
    async fn on_one_clock() -> Self {
        let clock = Clock::manual(start());
        let of_cloud = clock.clone();
        Self::with(clock, Arc::new(move || of_cloud.now())).await
    }

    async fn with(clock: Clock, now: Now) -> Self {
        let cloud = Cloud::start(CloudSettings::new(now)).await.unwrap();
        cloud.add_tenant(TENANT, APP, "the-secret", 340.0);
        let microsoft = Microsoft::new(Egress::new(), clock.clone(), Metrics::default(), Duration::from_secs(20));
        Self { cloud, clock, microsoft, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn material(&self, kind: CredentialKind, name: &str) -> CredentialMaterial {
        CredentialMaterial::new(kind, SecretReference::File(self.folder.path().join(name)))
    }

    /// Signs in again and fetches; waits are over as soon as they begin.
    async fn fetch(&self, materials: &[CredentialMaterial]) -> Result<f64, FetchError> {
        let base = self.cloud.base_url();
        let hosts =
            Hosts { login: base.clone(), defender: base, loopback: true, ..Hosts::of(NationalCloud::Commercial, None) };
        let account = Account {
            tenant: TenantId::parse("contoso").unwrap(),
            entra: TENANT,
            hosts: Arc::new(hosts),
            app: Arc::new(AppCredential { client_id: APP, materials: materials.to_vec() }),
        };
        // Nothing else is known of an hour later: each token is asked for again.
        let fetched = self.microsoft.fetch(&account, ScoreKind::DeviceSecureScore, self.clock.now());
        let flow = async {
            loop {
                tokio::task::yield_now().await;
                self.clock.advance(Duration::from_millis(1));
            }
        };
        tokio::select! { fetched = fetched => fetched.map(|readings| readings[0].sample.value), () = flow => unreachable!() }
    }

    fn requests(&self) -> u64 {
        self.cloud.counts().token_requests
    }
}

/// A store that says what lies on it by now only to who doubts what is known.
#[derive(Debug, Default)]
struct Shelf {
    lies: Mutex<String>,
    known: Mutex<Option<String>>,
    reads: AtomicUsize,
}

impl Shelf {
    fn put(&self, text: &str) {
        text.clone_into(&mut self.lies.lock().unwrap());
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

/// A credential that this store keeps.
fn stored(kind: CredentialKind, on: &Arc<Shelf>) -> CredentialMaterial {
    let store: Arc<dyn SecretStore> = Arc::<Shelf>::clone(on);
    let item = Arc::new(Item::Named { name: "app".to_owned(), version: None });
    CredentialMaterial::new(kind, SecretReference::Stored(Stored { store, item }))
}

#[async_trait::async_trait]
impl SecretStore for Shelf {
    fn identity(&self) -> &'static str {
        "shelf"
    }

    fn place(&self, _: &Item) -> String {
        "shelf".to_owned()
    }

    async fn fetch(&self, _: &Item) {
        let mut known = self.known.lock().unwrap();
        if known.is_none() {
            self.reads.fetch_add(1, Ordering::SeqCst);
            *known = Some(self.lies.lock().unwrap().clone());
        }
    }

    fn known(&self, _: &Item) -> Result<SecretString, String> {
        let known = self.known.lock().unwrap();
        known.as_deref().map(SecretString::from).ok_or_else(|| "has not been asked for yet".to_owned())
    }

    fn expires_at(&self, _: &Item) -> Option<Timestamp> {
        Some(Timestamp::from_seconds(9_000_000_000))
    }

    fn doubt(&self, _: &Item) {
        *self.known.lock().unwrap() = None;
    }
}

#[tokio::test]
async fn a_secret_that_entra_rejects_is_read_again_once_and_a_changed_one_is_used_immediately() {
    let (fixture, shelf) = (Fixture::new().await, Arc::new(Shelf::default()));
    let materials = [stored(CredentialKind::Secret, &shelf)];
    shelf.put("the-secret");
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
    assert_eq!((fixture.requests(), shelf.reads()), (1, 1));
    // It changes on both sides; what is known is the old one, and the token is old.
    fixture.clock.advance(Duration::from_hours(2));
    fixture.cloud.set_secret(TENANT, "another");
    shelf.put("another");
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
    assert_eq!((fixture.requests(), shelf.reads()), (3, 2));
    // It changes at Entra only: the store is asked once, and Entra not again.
    fixture.clock.advance(Duration::from_hours(2));
    fixture.cloud.set_secret(TENANT, "a-third");
    assert_eq!(code(fixture.fetch(&materials).await).0, FailureClass::SecretWrong);
    assert_eq!((fixture.requests(), shelf.reads()), (4, 3));
    assert_eq!(code(fixture.fetch(&materials).await).0, FailureClass::SecretWrong);
    assert_eq!((fixture.requests(), shelf.reads()), (4, 4), "known to be refused: the store may hold another one");
    shelf.put("a-third");
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
}

#[tokio::test]
async fn a_certificate_in_a_secret_store_signs_and_has_an_expiry_date() {
    let (fixture, shelf, pair) = (Fixture::new().await, Arc::new(Shelf::default()), Pair::until(2027, 3, 1));
    fixture.cloud.set_certificates(TENANT, &[&pair.der]);
    shelf.put(&pair.pem);
    let material = stored(CredentialKind::Certificate, &shelf);
    assert_eq!(fixture.fetch(std::slice::from_ref(&material)).await, Ok(340.0));
    assert_eq!(material.expires_at(), Timestamp::parse("2027-03-01T00:00:00Z"));
    let secret = stored(CredentialKind::Secret, &shelf);
    assert_eq!(secret.expires_at(), Some(Timestamp::from_seconds(9_000_000_000)));
}

fn code(result: Result<f64, FetchError>) -> (FailureClass, Option<u32>) {
    let error = result.unwrap_err();
    let helped = error.hint().is_some() || error.class == FailureClass::MicrosoftDown;
    assert!(helped, "{error}");
    (error.class, error.entra_code)
}

#[tokio::test]
async fn a_certificate_signs_what_the_cloud_verifies_and_a_changed_file_is_used_at_once() {
    let (fixture, first, second) = (Fixture::new().await, Pair::new(), Pair::new());
    let materials = [fixture.material(CredentialKind::Certificate, "pair.pem")];
    fixture.write("pair.pem", &first.pem);
    assert_eq!(
        code(fixture.fetch(&materials).await),
        (FailureClass::CertificateUnknown, Some(700_027)),
        "not uploaded yet"
    );
    assert_eq!(code(fixture.fetch(&materials).await).1, Some(700_027));
    assert_eq!(fixture.requests(), 1, "what Entra refused is not tried again at once");
    fixture.cloud.set_certificates(TENANT, &[&second.der]);
    fixture.write("pair.pem", &second.pem);
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
}

#[tokio::test]
async fn a_wrong_clock_is_reported_after_one_more_try_and_a_small_skew_is_tolerated() {
    for (ahead, fits) in [(Duration::from_secs(110), true), (Duration::from_mins(10), false)] {
        let (fixture, pair) = (Fixture::new().await, Pair::new());
        fixture.write("pair.pem", &pair.pem);
        fixture.cloud.set_certificates(TENANT, &[&pair.der]);
        fixture.clock.advance(ahead);
        let fetched = fixture.fetch(&[fixture.material(CredentialKind::Certificate, "pair.pem")]).await;
        if fits {
            assert_eq!(fetched, Ok(340.0));
        } else {
            assert_eq!(code(fetched), (FailureClass::ClockWrong, Some(700_024)));
            assert_eq!(fixture.requests(), 2);
        }
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_reported_without_asking_entra() {
    let (fixture, pair) = (Fixture::new().await, Pair::until(2026, 11, 1));
    fixture.write("pair.pem", &pair.pem);
    let error = fixture.fetch(&[fixture.material(CredentialKind::Certificate, "pair.pem")]).await.unwrap_err();
    assert_eq!(error.class, FailureClass::SecretExpired);
    assert!(error.what.contains("expired on 2026-11-01"), "{error}");
    assert_eq!(fixture.requests(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_sign_is_reported_and_never_shown() {
    let (fixture, pair) = (Fixture::new().await, Pair::new());
    fixture.write(
        "pair.pem",
        &pair.pem.replace("BEGIN PRIVATE KEY", "BEGIN OTHER KEY").replace("END PRIVATE", "END OTHER"),
    );
    let error = fixture.fetch(&[fixture.material(CredentialKind::Certificate, "pair.pem")]).await.unwrap_err();
    assert_eq!(error.class, FailureClass::SecretUnreadable);
    assert!(error.what.contains("contains no private key"), "{error}");
}

#[tokio::test]
async fn a_federated_token_is_read_at_each_request() {
    let (fixture, issuer) = (Fixture::new().await, Pair::new());
    let (materials, now) = ([fixture.material(CredentialKind::FederatedToken, "token")], fixture.clock.now());
    fixture.cloud.set_trust(TENANT, Some(issuer.trust()));
    fixture.write("token", &issuer.token(now.minus(Duration::from_secs(1))));
    assert_eq!(code(fixture.fetch(&materials).await), (FailureClass::ClockWrong, Some(700_024)));
    fixture.write("token", &format!("{}\n", issuer.token(now.plus(Duration::from_hours(1)))));
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
}

#[tokio::test]
async fn what_entra_does_not_know_yet_passes_and_what_it_never_will_does_not() {
    let (fixture, issuer) = (Fixture::new().await, Pair::new());
    let materials = [fixture.material(CredentialKind::FederatedToken, "token")];
    fixture.cloud.set_trust(TENANT, Some(issuer.trust()));
    fixture.write("token", &issuer.token(fixture.clock.now().plus(Duration::from_hours(1))));
    let unmatched = || SignIn::Refuse(EntraRefusal::FederationUnmatched);
    fixture.cloud.script_sign_ins(TENANT, vec![unmatched()]);
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0), "one failure is ridden out");

    let fixture = Fixture::new().await;
    fixture.write("token", &issuer.token(fixture.clock.now().plus(Duration::from_hours(1))));
    let materials = [fixture.material(CredentialKind::FederatedToken, "token")];
    assert_eq!(code(fixture.fetch(&materials).await), (FailureClass::MicrosoftDown, Some(70_021)));
    fixture.clock.advance(Duration::from_mins(11));
    assert_eq!(code(fixture.fetch(&materials).await), (FailureClass::FederationUnmatched, Some(70_021)));
}

#[tokio::test]
async fn what_the_cloud_finds_wrong_with_an_assertion_has_a_class_and_a_hint() {
    for (refusal, class) in [
        (EntraRefusal::AssertionUnsigned, FailureClass::CertificateUnknown),
        (EntraRefusal::AssertionAudience, FailureClass::ConfigurationWrong),
        (EntraRefusal::AssertionApp, FailureClass::ConfigurationWrong),
        (EntraRefusal::AssertionMalformed, FailureClass::ConfigurationWrong),
        (EntraRefusal::AssertionReplayed, FailureClass::ConfigurationWrong),
    ] {
        let (fixture, pair) = (Fixture::new().await, Pair::new());
        fixture.write("pair.pem", &pair.pem);
        fixture.cloud.set_sign_in(TENANT, Some(SignIn::Refuse(refusal)));
        let fetched = fixture.fetch(&[fixture.material(CredentialKind::Certificate, "pair.pem")]).await;
        assert_eq!(code(fetched), (class, Some(refusal.number())));
    }
}

#[tokio::test]
async fn while_a_credential_rotates_the_older_one_is_used_and_the_operator_is_notified() {
    let (fixture, pair) = (Fixture::on_one_clock().await, Pair::new());
    fixture.write("new.pem", &pair.pem);
    fixture.write("old", "the-secret");
    let materials =
        [fixture.material(CredentialKind::Certificate, "new.pem"), fixture.material(CredentialKind::Secret, "old")];
    assert_eq!(fixture.fetch(&materials).await, Ok(340.0));
    let passed_over = fixture.microsoft.passed_over();
    assert_eq!(passed_over.len(), 1);
    assert_eq!(
        (passed_over[0].client_id, passed_over[0].kind, passed_over[0].class),
        (APP, CredentialKind::Certificate, FailureClass::CertificateUnknown)
    );
    assert_eq!((fixture.microsoft.passed_over(), fixture.requests()), (Vec::new(), 2));
    assert_eq!(fixture.microsoft.rejected(), [(APP, materials[0].kept.clone())].into());
    // Uploaded meanwhile: once the token has ended, the new one is taken.
    fixture.cloud.set_certificates(TENANT, &[&pair.der]);
    fixture.cloud.set_secret(TENANT, "gone");
    fixture.write("old", "");
    let later = Fixture { clock: fixture.clock.clone(), ..fixture };
    later.clock.advance(Duration::from_hours(2));
    assert_eq!(later.fetch(&materials).await, Ok(340.0));
    assert_eq!(later.microsoft.passed_over(), []);
    assert_eq!(later.microsoft.rejected(), BTreeSet::new());
}

#[tokio::test]
async fn of_several_rejected_credentials_the_newest_is_reported() {
    let (fixture, pair) = (Fixture::new().await, Pair::new());
    fixture.write("new.pem", &pair.pem);
    fixture.write("old", "wrong");
    let materials =
        [fixture.material(CredentialKind::Certificate, "new.pem"), fixture.material(CredentialKind::Secret, "old")];
    assert_eq!(code(fixture.fetch(&materials).await), (FailureClass::CertificateUnknown, Some(700_027)));
    assert_eq!((fixture.microsoft.passed_over(), fixture.requests()), (Vec::new(), 2));
    code(fixture.fetch(&materials).await);
    assert_eq!(fixture.requests(), 2, "neither is tried again at once");
}
