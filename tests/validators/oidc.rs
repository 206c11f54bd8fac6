//! Sign-in against a certified OpenID Connect provider on loopback, which also misbehaves on request; `oidc.mjs` is the provider, the
//! browser and Microsoft Graph.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use scorewatch::{
    clock::Clock,
    domain::{EntraTenantId, Role},
    egress::{Egress, Private},
    oidc::{Entra, Grant, Provider, Reach, Settings, SignInError, SignInFailure, SignedIn, Who},
    secret::SecretReference,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{installed, script, secret};

const SOC: &str = "0a0a0a0a-0000-4000-8000-000000000001";
const LEADS: &str = "0a0a0a0a-0000-4000-8000-000000000002";

/// The provider's process, which ends with the test.
struct World {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    settings: Settings,
    clock: Clock,
    _folder: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl World {
    fn start() -> Self {
        let mut process = Command::new("node")
            .arg(script("oidc.mjs"))
            .arg(installed())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        let issuer = started["issuer"].as_str().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let grant = |group: &str, role| Grant { who: Who::Group(group.to_owned()), role, reach: Reach::All };
        let settings = Settings {
            client_id: "6d2a0000-0000-4000-8000-000000000002".to_owned(),
            client_secret: Some(secret(&folder, "secret", "s3cr+t/value~%\n")),
            redirect_uri: "https://scores.mssp.example/sign-in/oidc/callback".to_owned(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            algorithms: Settings::usual_algorithms(),
            groups_claim: "groups".to_owned(),
            grants: vec![grant(SOC, Role::Analyst), grant(LEADS, Role::Admin)],
            entra: Some(Entra {
                tenant: EntraTenantId(Uuid::parse_str("2f1c0a5e-0000-4000-8000-0000000000ab").unwrap()),
                graph: format!("{issuer}/graph"),
            }),
            private: Private::Loopback,
            issuer,
        };
        Self { process, commands, answers, settings, clock: Clock::manual(Clock::System.now()), _folder: folder }
    }

    fn say(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer
    }

    fn provider(&self) -> Provider {
        Provider::new(Arc::new(self.settings.clone()), Egress::new(), self.clock.clone())
    }

    /// Signs in at the provider, and gives what the browser brings back.
    fn visit(&mut self, url: &url::Url) -> String {
        let answer = self.say(&json!({ "visit": url.as_str() }));
        let callback = url::Url::parse(answer["callback"].as_str().unwrap()).unwrap();
        assert!(callback.as_str().starts_with(&self.settings.redirect_uri), "{callback}");
        callback.query().unwrap().to_owned()
    }

    async fn sign_in(&mut self, provider: &Provider) -> Result<SignedIn, SignInError> {
        let begun = provider.begin("/alerts").await?;
        let query = self.visit(&begun.url);
        provider.finish(&begun.pending, &query).await
    }
}

#[tokio::test]
#[ignore = "needs tests/validators/install"]
async fn a_person_signs_in_at_a_certified_provider_by_every_algorithm_and_either_place_of_the_secret() {
    let mut world = World::start();
    for (algorithm, place, groups, role) in [
        ("RS256", "client_secret_post", vec![SOC], Role::Analyst),
        ("PS256", "client_secret_basic", vec![SOC, LEADS], Role::Admin),
        ("ES256", "client_secret_post", vec![LEADS], Role::Admin),
    ] {
        world.say(&json!({ "set": { "alg": algorithm, "auth": place, "groups": groups } }));
        let provider = world.provider();
        let signed_in = world.sign_in(&provider).await.unwrap();
        assert_eq!((signed_in.name.as_str(), signed_in.subject.as_str()), ("ann@mssp.example", "ann"), "{algorithm}");
        assert_eq!((signed_in.granted.role, signed_in.target.as_str()), (role, "/alerts"), "{algorithm}");
    }
    world.say(&json!({ "set": { "groups": ["0a0a0a0a-0000-4000-8000-00000000ffff"] } }));
    let provider = world.provider();
    assert_eq!(world.sign_in(&provider).await.unwrap_err().failure, SignInFailure::NotGranted);
}

#[tokio::test]
#[ignore = "needs tests/validators/install"]
async fn tokens_and_answers_that_are_not_the_provider_s_or_not_for_us_let_nobody_in() {
    let mut world = World::start();
    world.say(&json!({ "set": { "groups": [SOC] } }));
    let provider = world.provider();
    for (fault, what) in [
        ("nonce", "the ID token belongs to another sign-in"),
        ("issuer", "the ID token is from another issuer"),
        ("audience", "the ID token is for another app"),
        ("audiences", "the ID token is for another app"),
        ("tenant", "the account belongs to another Entra tenant"),
        ("expired", "the ID token has expired"),
        ("future", "the ID token is not valid yet"),
        ("unsigned", "the ID token is not signed by an algorithm that is accepted"),
        ("HS256", "the ID token is not signed by an algorithm that is accepted"),
        ("stranger", "the signature of the ID token is wrong"),
        ("unknown key", "the ID token is signed by a key that the provider does not publish"),
    ] {
        world.say(&json!({ "set": { "fault": fault } }));
        let error = world.sign_in(&provider).await.unwrap_err();
        assert_eq!((error.failure, &*error.what), (SignInFailure::TokenInvalid, what), "{fault}");
    }
    world.say(&json!({ "set": { "fault": null } }));
    // The provider itself refuses a code that is redeemed twice, and one that another browser began.
    let (ours, theirs) = (provider.begin("/").await.unwrap(), provider.begin("/").await.unwrap());
    let query = world.visit(&ours.url);
    let error = provider.finish(&theirs.pending, &query).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::NotBegun, "its state is another");
    provider.finish(&ours.pending, &query).await.unwrap();
    let error = provider.finish(&ours.pending, &query).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::Declined, "{error}");
    let stolen = query.replace(state(&query), state(theirs.url.query().unwrap()));
    let error = provider.finish(&theirs.pending, &stolen).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::Declined, "its verifier is another: {error}");
    // Whoever knows the app's ID alone redeems nothing.
    world.settings.client_secret = None;
    let provider = world.provider();
    assert_eq!(world.sign_in(&provider).await.unwrap_err().failure, SignInFailure::AppRejected);
    world.settings.client_secret = Some(SecretReference::File(script("oidc.mjs")));
    let provider = world.provider();
    assert_eq!(world.sign_in(&provider).await.unwrap_err().failure, SignInFailure::AppRejected);
    // An issuer that differs by a slash is another.
    world.settings.issuer.push('/');
    let error = world.provider().begin("/").await.unwrap_err();
    assert!(error.what.starts_with("the provider calls itself `http://127.0.0.1:"), "{error}");
}

fn state(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap()
}

#[tokio::test]
#[ignore = "needs tests/validators/install"]
async fn keys_rotate_groups_are_looked_up_and_a_provider_that_is_down_is_named() {
    let mut world = World::start();
    world.say(&json!({ "set": { "groups": [SOC] } }));
    let provider = world.provider();
    world.sign_in(&provider).await.unwrap();
    world.say(&json!({ "rotate": true }));
    assert_eq!(world.sign_in(&provider).await.unwrap_err().failure, SignInFailure::TokenInvalid, "within a minute");
    world.clock.advance(Duration::from_mins(1));
    world.sign_in(&provider).await.unwrap();
    world.say(&json!({ "set": { "overage": true, "groups": [LEADS, "0a0a0a0a-0000-4000-8000-00000000ffff"] } }));
    let signed_in = world.sign_in(&provider).await.unwrap();
    assert_eq!((signed_in.granted.role, signed_in.membership.groups), (Role::Admin, [LEADS.to_owned()].into()));
    world.say(&json!({ "set": { "graph": 403 } }));
    let error = world.sign_in(&provider).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::GroupsUnknown);
    assert!(error.hint.contains("app_role:"), "{}", error.hint);
    let begun = provider.begin("/").await.unwrap();
    let query = world.visit(&begun.url);
    world.process.kill().unwrap();
    world.process.wait().unwrap();
    let error = provider.finish(&begun.pending, &query).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::Unreachable, "{error}");
    let error = world.provider().begin("/").await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::Unreachable, "{error}");
}
