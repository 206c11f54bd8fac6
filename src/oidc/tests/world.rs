//! A provider on loopback whose every answer a test may spoil, and a client of it.

use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
        RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    domain::{EntraTenantId, Role, Timestamp},
    egress::{
        Egress, Private,
        loopback::{Reply, Seen, Server, reply},
    },
    oidc::{Algorithm, Entra, Grant, Provider, Reach, Settings, SignInError, SignedIn, Who},
    secret::SecretReference,
};

pub(crate) const CLIENT: &str = "6d2a0000-0000-4000-8000-000000000002";
pub(crate) const SECRET: &str = "s3cr+t/value~%";
pub(crate) const CODE: &str = "the-code-0.AX&=";
pub(crate) const ACCESS_TOKEN: &str = "the-access-token";
pub(crate) const TENANT: &str = "2f1c0a5e-0000-4000-8000-0000000000ab";
pub(crate) const SOC: &str = "0a0a0a0a-0000-4000-8000-000000000001";
pub(crate) const LEADS: &str = "0a0a0a0a-0000-4000-8000-000000000002";

/// Keys take a while to make.
pub(crate) static KEYS: LazyLock<[RsaKeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
pub(crate) static CURVE: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

/// The modulus of a public key of 2,048 bits, which PKCS #1 has behind nine bytes of DER, and its exponent, behind two more.
fn numbers(key: &RsaKeyPair) -> [Vec<u8>; 2] {
    let der = key.public_key().as_ref();
    assert_eq!((&der[..4], der.len()), (&[0x30, 0x82, 0x01, 0x0a][..], 270));
    [der[9..265].to_vec(), der[267..].to_vec()]
}

/// A public key as the key set has it.
pub(crate) fn published(key: &RsaKeyPair, id: &str) -> Value {
    let [n, e] = numbers(key).map(|number| URL_SAFE_NO_PAD.encode(number));
    json!({ "kty": "RSA", "use": "sig", "kid": id, "n": n, "e": e })
}

pub(crate) fn published_curve(id: &str) -> Value {
    let point = CURVE.public_key().as_ref();
    let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]) })
}

/// Who signs a token.
#[derive(Clone, Copy)]
pub(crate) enum Signer {
    /// One of [`KEYS`].
    Rsa(usize),
    Pss(usize),
    Curve,
    /// The public key's modulus as the shared key of an HMAC.
    PublicKeyAsShared,
    Nobody,
}

/// A token before it is signed.
pub(crate) struct Token {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signer: Signer,
    /// Spoils the signed token.
    pub(crate) spoil: fn(String) -> String,
}

impl Token {
    pub(crate) fn signed(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header), part(&self.claims));
        let rsa = |index: usize, padding: &'static dyn RsaEncoding| {
            let key: &RsaKeyPair = &KEYS[index];
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match self.signer {
            Signer::Rsa(index) => rsa(index, &RSA_PKCS1_SHA256),
            Signer::Pss(index) => rsa(index, &RSA_PSS_SHA256),
            Signer::Curve => CURVE.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            Signer::PublicKeyAsShared => {
                let [shared, _] = numbers(&KEYS[0]);
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &shared), message.as_bytes()).as_ref().to_vec()
            }
            Signer::Nobody => Vec::new(),
        };
        (self.spoil)(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What the provider answers.
pub(crate) struct Plan {
    pub(crate) document: Box<dyn Fn(Value) -> Reply + Send>,
    pub(crate) keys: Vec<Value>,
    pub(crate) token: Box<dyn Fn(Value) -> Reply + Send>,
    pub(crate) id_token: String,
    pub(crate) graph: Box<dyn Fn(&Seen) -> Reply + Send>,
}

pub(crate) fn json_reply(status: u16, body: &Value) -> Reply {
    reply(status, "content-type: application/json\r\n", body.to_string())
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    pub(crate) settings: Arc<Settings>,
    pub(crate) plan: Arc<Mutex<Plan>>,
    _folder: tempfile::TempDir,
}

fn answer(plan: &Plan, seen: &Seen) -> Reply {
    let host = seen.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let base = format!("http://{host}");
    if seen.is("GET /keys ") {
        json_reply(200, &json!({ "keys": plan.keys }))
    } else if seen.is("POST /token ") {
        (plan.token)(json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": ACCESS_TOKEN, "id_token": plan.id_token,
        }))
    } else if seen.is("POST /graph/") {
        (plan.graph)(seen)
    } else if seen.is(&format!("GET /{TENANT}/v2.0/.well-known/openid-configuration ")) {
        (plan.document)(json!({
            "issuer": format!("{base}/{TENANT}/v2.0"), "authorization_endpoint": format!("{base}/authorize?p=1"),
            "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        }))
    } else {
        reply(404, "", "")
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let plan = Arc::new(Mutex::new(Plan {
            document: Box::new(|document| json_reply(200, &document)),
            keys: vec![published(&KEYS[0], "first")],
            token: Box::new(|tokens| json_reply(200, &tokens)),
            id_token: String::new(),
            graph: Box::new(|_| reply(500, "", "")),
        }));
        let planned = Arc::clone(&plan);
        let server = Server::start(move |seen| answer(&planned.lock().unwrap(), seen)).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        let grant = |who, role| Grant { who, role, reach: Reach::All };
        let mut settings = Settings {
            issuer: server.url(&format!("/{TENANT}/v2.0")),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SecretReference::File(folder.path().join("secret"))),
            redirect_uri: "https://scores.mssp.example/sign-in/oidc/callback".to_owned(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            algorithms: Settings::usual_algorithms(),
            groups_claim: "groups".to_owned(),
            grants: vec![
                grant(Who::Group(SOC.to_owned()), Role::Analyst),
                grant(Who::Group(LEADS.to_owned()), Role::Admin),
                grant(Who::AppRole("readers".to_owned()), Role::Viewer),
            ],
            entra: Some(Entra {
                tenant: EntraTenantId(uuid::Uuid::parse_str(TENANT).unwrap()),
                graph: server.url("/graph"),
            }),
            private: Private::Loopback,
        };
        change(&mut settings);
        let settings = Arc::new(settings);
        let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
        let provider = Provider::new(Arc::clone(&settings), Egress::new(), clock.clone());
        Self { server, clock, provider, settings, plan, _folder: folder }
    }

    /// A token that the provider would grant for that nonce.
    pub(crate) fn token(&self, nonce: &str) -> Token {
        let now = self.clock.now().as_seconds();
        Token {
            header: json!({ "alg": "RS256", "typ": "JWT", "kid": "first" }),
            claims: json!({
                "iss": self.settings.issuer, "aud": CLIENT, "sub": "AAAA-subject", "tid": TENANT, "nonce": nonce,
                "iat": now, "nbf": now, "exp": now + 3600, "preferred_username": "ann@mssp.example",
                "name": "An administrator", "groups": [SOC, "0a0a0a0a-0000-4000-8000-00000000ffff"],
            }),
            signer: Signer::Rsa(0),
            spoil: |token| token,
        }
    }

    /// Signs somebody in by a token that was changed before it was signed.
    pub(crate) async fn sign_in(&self, change: impl FnOnce(&mut Token)) -> Result<SignedIn, SignInError> {
        let begun = self.provider.begin("/alerts").await?;
        let value = |name: &str| begun.url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let mut token = self.token(&value("nonce"));
        change(&mut token);
        self.plan.lock().unwrap().id_token = token.signed();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", CODE)
            .append_pair("state", &value("state"))
            .finish();
        let cookie = begun.pending.cookie();
        let signed_in = self.provider.finish(&begun.pending, &query).await;
        if let Err(error) = &signed_in {
            let said = format!("{error} {} {error:?}", error.hint);
            let secrets =
                [SECRET, CODE, ACCESS_TOKEN, &token.signed(), begun.pending.verifier(), begun.pending.nonce()];
            for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
                assert!(!said.contains(secret), "{said}");
            }
            assert!(!said.contains(secrecy::ExposeSecret::expose_secret(&cookie)), "{said}");
        }
        signed_in
    }

    /// How often the key set was asked for.
    pub(crate) fn key_sets(&self) -> usize {
        self.server.count("GET /keys ")
    }

    /// The body of the last request that started like that.
    pub(crate) fn last(&self, start: &str) -> Seen {
        self.server.seen().into_iter().rfind(|seen| seen.is(start)).unwrap()
    }

    pub(crate) fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
    }
}

/// Every algorithm, by somebody who signs so.
pub(crate) const SIGNERS: [(Algorithm, Signer); 3] =
    [(Algorithm::Rs256, Signer::Rsa(0)), (Algorithm::Ps256, Signer::Pss(0)), (Algorithm::Es256, Signer::Curve)];
