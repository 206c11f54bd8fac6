//! Every kind of secret, a line each: where it is kept, what it looks like, and what uses it.

use std::{fmt::Write, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::harness::Pair;

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// In a file, as `{ file: … }` says.
    File,
    /// In an environment variable, as `{ env: … }` says.
    Variable,
    /// In systemd's folder of credentials, as `{ credential: … }` says.
    Credential,
    /// In the configuration itself: a generic webhook's URL may stand there.
    Open,
    /// In the environment, and nothing in the configuration refers to it.
    Unused,
    /// In a comment of the configuration.
    Comment,
    /// Nowhere with us: Microsoft hands it out.
    Given,
    /// A program prints it.
    Printed,
    /// Every program prints it where errors go.
    Aside,
    /// In a HashiCorp Vault.
    Vault,
    /// In an Azure Key Vault.
    KeyVault,
    /// In a file: it opens a store.
    Opener,
}
use Kept::{Aside, Comment, Credential, File, Given, KeyVault, Open, Opener, Printed, Unused, Variable, Vault};

/// A kind of secret.
pub(super) struct Kind {
    /// Its name, which is the name of the channel or tenant that uses it, too.
    pub(super) name: &'static str,
    pub(super) kept: Kept,
    /// The text as an operator has it: `CANARY` is the secret part, `KEY` a signing key made of it, `PEM` and `PFX` a
    /// certificate with its key, `HOOK` the address of a
    /// receiver whose path ends with it, `TLS` the same by `https`, though nothing there speaks TLS.
    text: &'static str,
    /// What uses it: keys of a channel, or of a tenant's credential; `SECRET` refers to the text, `PLAIN` is a receiver's address
    /// without secrets, `FILLER` another signing key. Empty: nothing.
    pub(super) keys: &'static str,
}

const fn kind(name: &'static str, kept: Kept, text: &'static str, keys: &'static str) -> Kind {
    Kind { name, kept, text, keys }
}

/// A Teams Workflows address.
const FLOW: &str = "HOOK?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=CANARY";

/// A mail channel whose server takes no call.
const MAIL: &str = "type: email, server: \"smtps://127.0.0.1:9\", from: a@mssp.example, to: [b@mssp.example], username: me, password: SECRET";

/// Made with the canary of `pfx-password` as its password (`tests/harness/pfx/make`), and the key in it. A binary that reads no PFX
/// may not show it either.
const PFX: &[u8] = include_bytes!("../../harness/pfx/sealed.pfx");
const KEY_OF_PFX: &[u8] = include_bytes!("../../harness/pfx/own.key.der");

/// The headers that a collector of traces wants, and its address.
pub(super) const HEADERS: &str = "otel-exporter-otlp-headers";
pub(super) const ENDPOINT: &str = "otel-exporter-otlp-traces-endpoint";

pub(super) const KINDS: [Kind; 48] = [
    // How we sign in to Microsoft, and what we get there
    kind("client-secret", File, "CANARY", "secret: SECRET"),
    kind("client-secret-in-variable", Variable, "CANARY", "secret: SECRET"),
    kind("client-secret-of-systemd", Credential, "CANARY", "secret: SECRET"),
    kind("client-secret-like-entras", File, "Abc8Q~CANARY.x-_~", "secret: SECRET"),
    kind("certificate-key", File, "PEM", "certificate: SECRET"),
    kind(
        "pfx-in-key-vault",
        KeyVault,
        "PFX",
        "certificate: SECRET, certificate_password: { file: ../secrets/pfx-password }",
    ),
    kind("pfx-password", File, "CANARY", ""),
    kind("federated-token", File, "eyJhbGciOiJSUzI1NiJ9.CANARY.CANARY", "federated_token: SECRET"),
    // How stores know us, and what they hold
    kind("vault-token", Opener, "hvs.CANARY", ""),
    kind("key-vault-credential", Opener, "CANARY", ""),
    kind("client-secret-in-vault", Vault, "CANARY", "secret: SECRET"),
    kind("webhook-url-in-vault", Vault, "HOOK", "type: webhook, url: SECRET"),
    kind("client-secret-in-key-vault", KeyVault, "CANARY", "secret: SECRET"),
    kind("client-secret-of-a-program", Printed, "CANARY", "secret: SECRET"),
    kind("webhook-url-of-a-program-that-fails", Printed, "https://nobody.invalid/CANARY", "type: webhook, url: SECRET"),
    kind("what-programs-say-aside", Aside, "CANARY", ""),
    kind("access-token", Given, "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9", ""),
    kind("access-token-that-is-refused", Given, "CANARY", ""),
    // How we reach receivers
    kind("teams-url", File, FLOW, "type: teams, url: SECRET"),
    kind("teams-url-in-variable", Variable, FLOW, "type: teams, url: SECRET"),
    kind("slack-url", File, "HOOK", "type: slack, url: SECRET"),
    kind("slack-url-of-systemd", Credential, "HOOK", "type: slack, url: SECRET"),
    kind("discord-url", File, "HOOK", "type: discord, url: SECRET"),
    kind("google-chat-url", Variable, "HOOK?key=simulated&token=CANARY", "type: google-chat, url: SECRET"),
    kind("mattermost-url", Credential, "HOOK", "type: mattermost, url: SECRET"),
    kind("webhook-url", File, "HOOK", "type: webhook, url: SECRET"),
    kind("webhook-url-in-variable", Variable, "HOOK?token=CANARY", "type: webhook, url: SECRET"),
    kind("webhook-url-of-systemd", Credential, "HOOK", "type: webhook, url: SECRET"),
    kind("webhook-url-in-the-open", Open, "HOOK", "type: webhook, url: SECRET"),
    kind("webhook-query-in-the-open", Open, "HOOK?token=CANARY", "type: webhook, url: SECRET"),
    kind("url-of-nobody", File, "https://nobody.invalid/CANARY", "type: webhook, url: SECRET"),
    kind("url-without-tls", File, "TLS?token=CANARY", "type: webhook, url: SECRET"),
    kind("url-that-is-closed", File, "http://127.0.0.1:9/CANARY", "type: webhook, url: SECRET"),
    kind("url-with-a-user", File, "http://user:CANARY@127.0.0.1:9/", "type: webhook, url: SECRET"),
    kind("url-that-is-none", File, "CANARY", "type: webhook, url: SECRET"),
    // How we sign
    kind("signing-key", File, "whsec_KEY", "type: webhook, url: PLAIN, signing_secret: [SECRET, FILLER]"),
    kind("signing-key-before", Variable, "whsec_KEY", "type: webhook, url: PLAIN, signing_secret: [FILLER, SECRET]"),
    kind("signing-key-of-ed25519", Credential, "whsk_KEY", "type: webhook, url: PLAIN, signing_secret: SECRET"),
    // How other protocols know us
    kind("pagerduty-key", File, "CANARY", "type: pagerduty, routing_key: SECRET, url: PLAIN"),
    kind("alertmanager-token", Variable, "CANARY", "type: alertmanager, url: PLAIN, bearer_token: SECRET"),
    kind("alertmanager-password", File, "CANARY", "type: alertmanager, url: PLAIN, username: me, password: SECRET"),
    kind("mail-password", Credential, "CANARY", MAIL),
    // How the provider of sign-ins knows us
    kind(super::provider::SECRET, File, "CANARY", ""),
    // How the database knows us
    kind(super::database::PASSWORD, File, "CANARY", ""),
    // How a collector of traces knows us; the variables are named as the kinds are
    kind(HEADERS, Unused, "x-api-key=CANARY", ""),
    kind(ENDPOINT, Unused, "HOOK", ""),
    // What lies about
    kind("variable-of-others", Unused, "CANARY", ""),
    kind("comment", Comment, "CANARY", ""),
];

impl Kind {
    /// 32 letters and digits that are this kind's alone.
    pub(super) fn canary(&self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        digest(self.name).iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
    }

    /// A signing key that is this kind's alone.
    fn key(&self) -> [u8; 32] {
        digest(&format!("key of {}", self.name))
    }

    /// The text as an operator has it; `base` is where receivers listen.
    pub(super) fn text(&self, base: &str) -> String {
        if self.text == "PFX" {
            return STANDARD.encode(PFX);
        }
        let hook = format!("{base}/hooks/{}", self.canary());
        self.text
            .replace("TLS", &hook.replacen("http:", "https:", 1))
            .replace("HOOK", &hook)
            .replace("KEY", &STANDARD.encode(self.key()))
            .replace("PEM", &pair().pem)
            .replace("CANARY", &self.canary())
    }

    /// What must show nowhere: the secret parts of the text.
    pub(super) fn secrets(&self) -> Vec<Vec<u8>> {
        let mut secrets = Vec::new();
        if self.text.contains("KEY") {
            secrets.extend([self.key().to_vec(), STANDARD.encode(self.key()).into_bytes()]);
        } else if self.text == "PEM" {
            // Its numbers end with those that nobody else knows; what comes before is in the certificate, too.
            let private = &pair().key[pair().key.len() - 300..];
            secrets.extend([private.to_vec(), STANDARD.encode(private).into_bytes()]);
        } else if self.text == "PFX" {
            let private = &KEY_OF_PFX[KEY_OF_PFX.len() - 300..];
            secrets.extend([PFX.to_vec(), private.to_vec()]);
            secrets.extend([STANDARD.encode(PFX).into_bytes(), STANDARD.encode(private).into_bytes()]);
        } else if ["CANARY", "HOOK", "TLS"].iter().any(|part| self.text.contains(part)) {
            secrets.push(self.canary().into_bytes());
        } else {
            secrets.push(self.text.as_bytes().to_vec());
        }
        secrets
    }

    /// How the configuration refers to the text.
    pub(super) fn reference(&self, base: &str) -> String {
        match self.kept {
            File => format!("{{ file: SECRETS/{} }}", self.name),
            Printed => format!("{{ exec: [SECRETS/{}, argument] }}", self.name),
            Vault => format!("{{ store: corp, path: {} }}", self.name),
            KeyVault => format!("{{ store: azure, name: {} }}", self.name),
            Variable => format!("{{ env: {} }}", self.variable()),
            Credential => format!("{{ credential: {} }}", self.name),
            Open => format!("\"{}\"", self.text(base)),
            Unused | Comment | Given | Aside | Opener => String::new(),
        }
    }

    /// The environment variable that holds it.
    pub(super) fn variable(&self) -> String {
        self.name.to_uppercase().replace('-', "_")
    }

    /// What the receiver behind its channel is called; nobody is behind some.
    pub(super) fn door(&self) -> Option<String> {
        if self.text.starts_with("HOOK") {
            Some(self.canary())
        } else {
            (self.text.starts_with("whs")).then(|| self.name.to_owned())
        }
    }

    pub(super) fn is_channel(&self) -> bool {
        self.keys.starts_with("type:")
    }

    pub(super) fn is_tenant(&self) -> bool {
        ["secret:", "certificate:", "federated_token:"].iter().any(|material| self.keys.starts_with(material))
    }
}

/// The certificate with its key, made once: a good one takes a while.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(Pair::new)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The kind of that name.
pub(super) fn named(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

/// Every secret in a text of its own, for the answers of receivers that repeat what they were sent.
pub(super) fn all_texts(base: &str) -> String {
    KINDS.iter().fold(String::new(), |mut text, kind| {
        let _ = write!(text, "{} ", kind.text(base));
        text
    })
}

#[cfg(feature = "pfx")]
#[test]
fn the_pfx_opens_by_the_canary_of_its_password() {
    let password = named("pfx-password").canary();
    scorewatch::microsoft::Certificate::open(PFX, Some(&password)).unwrap();
}

#[test]
fn there_are_twelve_kinds_at_least_and_no_two_share_a_piece() {
    assert!(KINDS.len() >= 12);
    for kind in &KINDS {
        let others = KINDS.iter().filter(|other| other.name != kind.name);
        let others: Vec<_> =
            others.flat_map(|other| Kind::secrets(other).into_iter().map(|secret| (other.name, secret))).collect();
        let scanner = super::scanner::Scanner::new(others.iter().map(|(name, secret)| (*name, &secret[..])));
        for secret in kind.secrets() {
            assert_eq!(scanner.find(&secret), [""; 0], "{}", kind.name);
        }
    }
}
