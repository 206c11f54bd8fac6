//! A world in which every kind of secret is in use, and everything that can go wrong with one does.

use std::{
    fmt::Write,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use scorewatch::simulation::{
    Cloud, Reply,
    cloud::{Fetch, SignIn},
    receiver::Received,
};
use uuid::Uuid;

use super::{
    kinds::{self, KINDS, Kept, Kind, all_texts},
    provider,
};
use crate::harness::{HIGH, LOW, OPS, Vault, World, entra};

/// Everything that any library might say; those that print URLs are silenced all the same.
const LOG: &str = "trace,reqwest=trace,hyper=trace,hyper_util=trace,h2=trace,rustls=trace,sqlx=trace,tower=trace,\
                   handlebars=trace,notify=trace,tokio_cron_scheduler=trace,mio=trace,tokio=trace,want=trace,axum=trace";
/// Tenants whose sign-in or call goes wrong, with the secret in the answer.
const TROUBLED: [&str; 4] = ["sign-in-repeats", "token-refused", "call-repeats", "secret-wrong"];
/// A signing key that is not a secret of ours.
const FILLER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// The channel whose receiver rejects one message and accepts all others; those of the others are gone in the end.
const REJECTED: &str = "webhook-url-in-the-open";
/// Requests after which a receiver has shown all its faults.
const FAULTS: usize = 5;

pub(super) struct Fixture {
    pub(super) world: World,
    pub(super) environment: Vec<(String, String)>,
    /// `scorewatch.yaml` as it is taken.
    good: String,
}

impl Fixture {
    /// A fixture with the kinds that are wanted.
    pub(super) async fn new(wanted: impl Fn(&&Kind) -> bool) -> Self {
        let mut world = World::new().await;
        let base = world.receivers.add_webhook("plain").replace("/hooks/plain", "");
        let credentials = world.folder.path().join("credentials").display().to_string();
        let mut environment = vec![
            ("SCOREWATCH_LOG".to_owned(), LOG.to_owned()),
            ("RUST_LOG".to_owned(), "trace".to_owned()),
            ("RUST_BACKTRACE".to_owned(), "full".to_owned()),
            ("CREDENTIALS_DIRECTORY".to_owned(), credentials),
        ];
        world.folder.write("secrets/filler", FILLER);
        let vault = Vault::start(&kinds::named("vault-token").text(&base)).await;
        open_stores(&mut world, &vault, &base);
        world.setup.top.push_str(&provider::yaml(provider::start(all_texts(&base)).await));
        for kind in KINDS.iter().filter(&wanted) {
            let text = kind.text(&base);
            match kind.kept {
                Kept::File => world.folder.write(&format!("secrets/{}", kind.name), &(text.clone() + "\n")),
                Kept::Credential => world.folder.write(&format!("credentials/{}", kind.name), &text),
                Kept::Variable | Kept::Unused => environment.push((kind.variable(), text.clone())),
                Kept::Comment => drop(writeln!(world.setup.top, "# {text}")),
                Kept::Printed => {
                    write_program(&world, kind.name, &text, &kinds::named("what-programs-say-aside").text(&base));
                }
                Kept::Vault => vault.set(kind.name, &text),
                Kept::KeyVault => world.cloud.set_key_vault_secret(kind.name, &text, None),
                Kept::Open | Kept::Given | Kept::Aside | Kept::Opener => {}
            }
            if kind.is_tenant() {
                add_tenant(&mut world, kind, &text);
            } else if kind.is_channel() {
                add_channel(&mut world, kind, &base);
            }
        }
        // All receivers are on one host, whose retries are rationed: who has shown all its faults leaves them to the others.
        for channel in &mut world.setup.channels {
            *channel = channel.replacen("max: 500ms", "max: 20s", 1);
        }
        trouble(&mut world, &base);
        collect_traces(&world, &base);
        let channels: Vec<_> =
            KINDS.iter().filter(&wanted).filter(|kind| kind.is_channel()).map(|kind| kind.name).collect();
        world.setup.rules = world.setup.rules.replace("[soc]", &format!("[soc, {}]", channels.join(", ")));
        world.write();
        let good = std::fs::read_to_string(world.folder.config()).unwrap();
        Self { world, environment, good }
    }

    /// The alert fires and ends; waits until every receiver was asked often enough to have shown all its faults, and the operator
    /// has been notified of the channels that are gone.
    pub(super) async fn live_through_trouble(&self) {
        let world = &self.world;
        let count = |cloud: &Cloud| cloud.tenant_counts(entra("contoso")).score_requests;
        patiently("two checks", world.cloud.wait_for(|cloud| count(cloud) >= 2)).await;
        world.set_score("contoso", LOW);
        let doors: Vec<_> = KINDS.iter().filter(|kind| kind.is_channel()).filter_map(Kind::door).collect();
        let asked = |requests: &[Arc<Received>], door: &str| {
            requests.iter().filter(|request| &*request.channel == door).count()
        };
        let all = |least: usize| {
            let doors = &doors;
            move |requests: &[_]| doors.iter().all(|door| asked(requests, door) >= least)
        };
        let seen = crate::harness::event(world.receivers.wait_for(all(FAULTS - 1))).await;
        let counts = || doors.iter().map(|door| (door, asked(&world.receivers.received(), door))).collect::<Vec<_>>();
        assert!(seen.is_some(), "waited in vain for the first faults: {:?}", counts());
        world.set_score("contoso", HIGH);
        let parked: Vec<_> =
            KINDS.iter().filter(|kind| kind.is_channel() && kind.name != REJECTED).filter_map(Kind::door).collect();
        let are_gone = |requests: &[_]| parked.iter().all(|door| asked(requests, door) >= FAULTS);
        patiently("the last fault", world.receivers.wait_for(are_gone)).await;
        let parked = |requests: &[_]| {
            let arrived = crate::harness::arrived(requests, OPS);
            arrived.iter().filter(|arrived| arrived.kind == "operator.channel").count() >= parked.len()
        };
        patiently("the operator to hear of it", world.receivers.wait_for(parked)).await;
    }

    /// Replaces the configuration by one in which secrets stand in wrong places, and their files hold what none may.
    pub(super) fn break_configuration(&self) {
        for (name, content) in [
            ("empty", Vec::new()),
            ("binary", [KINDS[0].canary().as_bytes(), b"\xff"].concat()),
            ("large", KINDS[0].canary().repeat(4_000).into_bytes()),
        ] {
            std::fs::write(self.world.folder.path().join("secrets").join(name), content).unwrap();
        }
        let misplaced = KINDS[0].canary();
        let url = format!("https://user:{misplaced}@hooks.example/{misplaced}?sig={misplaced}");
        let mut text =
            provider::without_public_url(&self.good) + &format!("# {misplaced}\n{misplaced}: 1 # {misplaced}\n");
        let _ = writeln!(text, "public_url: \"{url}\"\ntemplates: {misplaced}\nconcurrency: {misplaced}");
        let mut channels = String::from("channels:\n");
        for (number, keys) in [
            format!("type: teams, url: \"{url}\""),
            format!("type: teams, url: {misplaced}"),
            format!("type: slack, url: {{ env: {misplaced} }}"),
            format!("type: slack, url: {{ file: {misplaced} }}"),
            format!("type: slack, url: {{ file: secrets/{misplaced} }}"),
            format!("type: slack, url: {{ credential: {misplaced} }}"),
            format!("type: slack, url: {{ store: {misplaced}, path: {misplaced} }}"),
            format!("type: slack, url: {{ store: corp, path: \"{misplaced} {misplaced}\" }}"),
            format!("type: slack, url: {{ store: azure, name: {misplaced}_, version: \"{misplaced}?\" }}"),
            format!("type: slack, url: {{ exec: [{misplaced}, {misplaced}] }}"),
            format!("type: slack, url: {{ {misplaced}: x }}"),
            format!("type: webhook, url: \"{url}\", signing_secret: whsec_{misplaced}"),
            format!("type: webhook, url: [\"{url}\"], {misplaced}: \"{url}\""),
            format!("type: {misplaced}, url: {misplaced}, tenants: [{misplaced}], template: {misplaced}"),
            format!("type: webhook, url: \"{url}\", pace: {misplaced}, allow_private: [{misplaced}]"),
            "type: teams, url: { file: secrets/empty }".to_owned(),
            "type: teams, url: { file: secrets/binary }".to_owned(),
            "type: teams, url: { file: secrets/large }".to_owned(),
            "type: teams, url: { file: secrets }".to_owned(),
        ]
        .iter()
        .enumerate()
        {
            let _ = writeln!(channels, "  broken-{number}: {{ {keys} }} # {misplaced}");
        }
        let base = self.world.cloud.base_url();
        let text = text
            .replacen("channels:\n", &channels, 1)
            .replacen("store: sqlite://data/scorewatch.db", &format!("store: \"postgres://user:{misplaced}@db/x\""), 1)
            .replacen(&format!("login: \"{base}\""), &format!("login: \"http://user:{misplaced}@[::2]/\""), 1)
            .replacen("rules: [", &format!("rules: [{misplaced}, \"{misplaced}/*.yaml\", "), 1)
            .replacen("tenants: [", &format!("tenants: [{misplaced}, "), 1)
            .replacen("timezone: UTC", &format!("timezone: {misplaced}"), 1);
        self.world.folder.write("scorewatch.yaml", &text);
    }

    pub(super) fn repair_configuration(&self) {
        self.world.folder.write("scorewatch.yaml", &self.good);
    }

    /// The environment as [`crate::harness::Service::spawn`] wants it.
    pub(super) fn environment(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Runs a command of the binary to its end, with the secrets in its environment.
    pub(super) async fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scorewatch"));
        command.arg("--config").arg(self.world.folder.config()).args(arguments).envs(self.environment());
        command.stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

/// Waits for an event.
pub(super) async fn patiently(what: &str, wait: impl Future<Output = ()>) {
    let arrived = crate::harness::event(wait).await;
    assert!(arrived.is_some(), "waited in vain for {what}");
}

/// A collector of traces at the address in the environment: it repeats the secret when it refuses a batch, and takes the next one.
fn collect_traces(world: &World, base: &str) {
    let door = kinds::named(kinds::ENDPOINT).canary();
    let _ = world.receivers.add_webhook(&door);
    let all = all_texts(base);
    world.receivers.script(&door, vec![repeating(Reply::text(400, &all), &kinds::named(kinds::HEADERS).text(base))]);
}

/// What else holds secrets, and what opens it.
fn open_stores(world: &mut World, vault: &Vault, base: &str) {
    let (directory, app) = (entra("azure"), Uuid::from_u128(0xa99));
    let opener = |name: &str| kinds::named(name).text(base);
    world.cloud.add_tenant(directory, app, &opener("key-vault-credential"), HIGH);
    for name in ["vault-token", "key-vault-credential"] {
        world.folder.write(&format!("secrets/{name}"), &opener(name));
    }
    let address = world.cloud.base_url();
    let _ = writeln!(
        world.setup.top,
        "secret_stores:\n  corp: {}\n  azure: {{ type: key-vault, address: \"{address}\", login: \"{address}\", allow_private: true, \
         tenant_id: {directory}, credential: {{ client_id: {app}, secret: {{ file: secrets/key-vault-credential }} }} }}",
        vault.yaml()
    );
}

/// A program that prints its secret, says another aside, and fails if its name says so.
fn write_program(world: &World, name: &str, secret: &str, aside: &str) {
    let code = u8::from(name.ends_with("fails"));
    let path = format!("secrets/{name}");
    world.folder.write(&path, &format!("#!/bin/sh\necho '{aside}' >&2\necho '{secret}'\nexit {code}\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(world.folder.path().join(path), mode).unwrap();
}

fn add_tenant(world: &mut World, kind: &Kind, secret: &str) {
    let (entra, app) = (entra(kind.name), Uuid::from_u128(0xa99));
    world.cloud.add_tenant(entra, app, secret, HIGH);
    world.setup.tenants.push(kind.name.to_owned());
    let keys = kind.keys.replace("SECRET", &kind.reference("").replace("SECRETS/", "../secrets/"));
    let text =
        format!("id: {0}\nname: {0} Ltd\ntenant_id: {entra}\ncredential: {{ client_id: {app}, {keys} }}\n", kind.name);
    world.folder.write(&format!("tenants/{}.yaml", kind.name), &text);
}

fn add_channel(world: &mut World, kind: &Kind, base: &str) {
    let mut keys = kind.keys.replace("SECRET", &kind.reference(base).replace("SECRETS/", "secrets/"));
    keys = keys.replace("FILLER", "{ file: secrets/filler }");
    if let Some(door) = kind.door() {
        let url = world.receivers.add_webhook(&door);
        keys = keys.replace("PLAIN", &format!("\"{url}\""));
        let repeats = |status: u16| repeating(Reply::text(status, &all_texts(base)), &kind.text(base));
        let then = if kind.name == REJECTED { [repeats(400), repeats(200)] } else { [repeats(307), repeats(404)] };
        let [last, always] = then;
        world.receivers.script(&door, vec![repeats(500), Reply::close(), repeats(429), last]);
        world.receivers.set(&door, Some(always));
    }
    world.setup.channel(kind.name, &keys.replace("PLAIN", "\"http://127.0.0.1:9/\""));
}

/// An answer with the secret in every header that anybody reads.
fn repeating(reply: Reply, secret: &str) -> Reply {
    ["location", "retry-after", "content-type", "www-authenticate", "set-cookie", "server", "x-request", "refresh"]
        .iter()
        .fold(reply, |reply, name| reply.header(name, secret))
}

/// Tenants that Microsoft refuses, with their secrets in the refusal.
fn trouble(world: &mut World, base: &str) {
    let all = all_texts(base);
    let canary = |name: &str| KINDS.iter().find(|kind| kind.name == name).unwrap().canary();
    for tenant in TROUBLED {
        world.add_tenant(tenant);
    }
    let repeated = serde_json::json!({
        "error": all, "error_description": all, "error_codes": [7_000_215, all], "error_uri": all,
        "correlation_id": canary("client-secret"), "trace_id": all, "timestamp": all, "suberror": all, "claims": all,
    });
    let reply = |status: u16, body: &serde_json::Value| {
        repeating(Reply::json(status, body.to_string()), &canary("client-secret"))
    };
    world.cloud.set_sign_in(entra("sign-in-repeats"), Some(SignIn::Raw(reply(401, &repeated))));
    let token = canary("access-token-that-is-refused");
    let given = serde_json::json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
    world.cloud.set_sign_in(entra("token-refused"), Some(SignIn::Raw(Reply::json(200, given.to_string()))));
    let refused = serde_json::json!({
        "error": { "code": token, "message": format!("{all} Missing roles: {token}, {token}"), "target": token },
    });
    world.cloud.set_fetch(entra("call-repeats"), Some(Fetch::Raw(reply(403, &refused))));
    world.cloud.set_secret(entra("secret-wrong"), "what-entra-expects");
}
