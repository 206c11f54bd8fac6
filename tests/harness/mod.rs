//! A simulated world around the real binary: Microsoft, receivers, a folder with its configuration.
//!
//! Nothing here sleeps. A test waits for what must happen ([`World::until`]) and proves that something did *not* happen by a
//! barrier ([`World::settle`]): a message of another tenant, queued later on the same channel, that has arrived.

mod arrived;
pub(crate) mod between;
mod entry;
mod folder;
mod identity;
pub(crate) mod later;
#[cfg(feature = "pfx")]
pub(crate) mod pfx;
pub(crate) mod pooler;
pub(crate) mod postgres;
mod process;
mod proxy;
mod vault;
mod wait;
mod wire;

use std::{collections::HashSet, path::Path, process::Output, sync::Arc};

use scorewatch::{
    clock::Clock,
    domain::{EntraTenantId, ScoreKind},
    simulation::{
        Cloud, Receivers,
        cloud::{CloudSettings, Now},
        receiver::Received,
    },
};
use uuid::Uuid;

pub(crate) use arrived::{Arrived, accepted, arrived, kinds};
pub(crate) use entry::by_ann;
pub(crate) use folder::{Folder, Setup};
pub(crate) use identity::Pair;
pub(crate) use process::Service;
pub(crate) use proxy::{Fault, Proxy};
pub(crate) use vault::Vault;
#[cfg(feature = "pfx")]
pub(crate) use wait::computed;
pub(crate) use wait::{PATIENCE, Watch, event};
#[cfg(debug_assertions)]
pub(crate) use wire::{begin_keyed_post, begin_post, keyed_post};
pub(crate) use wire::{get, post};

/// The channel that the rules of these tests notify.
pub(crate) const SOC: &str = "soc";
/// The channel that the operator hears from.
pub(crate) const OPS: &str = "ops";
/// The tenant whose messages are barriers.
pub(crate) const SENTINEL: &str = "sentinel";
/// A score above and one below the threshold of [`Setup::rules`].
pub(crate) const HIGH: f64 = 500.0;
pub(crate) const LOW: f64 = 200.0;

/// Everything that surrounds the binary.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) receivers: Receivers,
    pub(crate) folder: Folder,
    pub(crate) setup: Setup,
}

impl World {
    /// A cloud with the tenants `contoso` and [`SENTINEL`], both at [`HIGH`]; webhook channels [`SOC`] and [`OPS`]; one rule
    /// `device-score-low` below 300 that notifies [`SOC`]; a check every second.
    pub(crate) async fn new() -> Self {
        Self::with_cloud(|_| ()).await
    }

    pub(crate) async fn with_cloud(adjust: impl FnOnce(&mut CloudSettings)) -> Self {
        let now: Now = Arc::new(|| Clock::System.now());
        let mut settings = CloudSettings::new(now);
        adjust(&mut settings);
        let cloud = Cloud::start(settings).await.unwrap();
        let receivers = Receivers::start().await.unwrap();
        let mut setup = Setup::new(&cloud.base_url());
        setup.webhook(SOC, &receivers.add_webhook(SOC));
        setup.webhook(OPS, &receivers.add_webhook(OPS));
        let mut world = Self { cloud, receivers, folder: Folder::new(), setup };
        world.add_tenant("contoso");
        world.add_tenant(SENTINEL);
        world
    }

    /// Adds a tenant at [`HIGH`] to the cloud and to the configuration to be written.
    pub(crate) fn add_tenant(&mut self, id: &str) {
        let (app, secret) = (Uuid::from_u128(0xa99), format!("secret-of-{id}"));
        self.cloud.add_tenant(entra(id), app, &secret, HIGH);
        self.folder.write(&format!("secrets/{id}"), &secret);
        self.setup.tenants.push(id.to_owned());
        self.folder.write(&format!("tenants/{id}.yaml"), &folder::tenant_yaml(id, entra(id), app));
    }

    /// Moves a tenant's device score.
    pub(crate) fn set_score(&self, tenant: &str, score: f64) {
        self.cloud.set_score(entra(tenant), ScoreKind::DeviceSecureScore, score);
    }

    /// Writes the configuration and starts the service; returns once it listens.
    pub(crate) async fn run(&self) -> Service {
        self.write();
        let service = Service::spawn(&self.folder.config(), &[]);
        service.listening().await;
        service
    }

    /// Writes the configuration, as one file replaced whole.
    pub(crate) fn write(&self) {
        self.folder.write("rules/rules.yaml", &self.setup.rules);
        self.folder.write("scorewatch.yaml", &self.setup.yaml());
    }

    /// Runs another command of the binary to its end.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Output {
        process::command(&self.folder.config(), arguments, &[]).await
    }

    /// The same with further environment variables.
    pub(crate) async fn command_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        process::command(&self.folder.config(), arguments, environment).await
    }

    /// What a listing prints with `--json`.
    pub(crate) async fn listing(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let output = self.command(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Waits until `enough` holds of what one channel's receiver was sent.
    pub(crate) async fn until(&self, service: &Service, channel: &str, enough: impl Fn(&[Arrived]) -> bool) {
        let all = self.receivers.wait_for(|received| enough(&arrived(received, channel)));
        self.patiently(service, channel, all).await;
    }

    /// Waits until the tenant was asked for its score that many times more. The check before the last one is committed then.
    pub(crate) async fn checked(&self, service: &Service, tenant: &str, times: u64) {
        let count = |cloud: &Cloud| cloud.tenant_counts(entra(tenant)).score_requests;
        let enough = count(&self.cloud) + times;
        self.patiently(service, tenant, self.cloud.wait_for(|cloud| count(cloud) >= enough)).await;
    }

    /// Waits until every tenant that was read before was asked for its score that many times more.
    pub(crate) async fn all_checked(&self, service: &Service, times: u64) {
        let count = |cloud: &Cloud, tenant: &str| cloud.tenant_counts(entra(tenant)).score_requests;
        let read = self.setup.tenants.iter().map(|tenant| (tenant, count(&self.cloud, tenant)));
        let read: Vec<_> = read.filter(|(_, before)| *before > 0).collect();
        let enough =
            self.cloud.wait_for(|cloud| read.iter().all(|(tenant, before)| count(cloud, tenant) >= before + times));
        self.patiently(service, "more checks of each tenant", enough).await;
    }

    /// Waits until all messages about what the cloud shows by now have arrived at the channel. Only for
    /// tenants that can be read, and for a channel on which nothing waits for another attempt: such may be overtaken.
    pub(crate) async fn settle(&self, service: &Service, channel: &str) {
        // A tenant's next check begins when the one before is committed, so the second one from now follows a judged one.
        self.all_checked(service, 2).await;
        let of_sentinel = |arrived: &[Arrived]| {
            let taken = arrived.iter().filter(|arrived| arrived.accepted && arrived.tenant == SENTINEL);
            taken.map(|arrived| arrived.id.as_str()).collect::<HashSet<_>>().len()
        };
        let before = of_sentinel(&self.arrived(channel));
        self.set_score(SENTINEL, if before % 2 == 0 { LOW } else { HIGH });
        self.until(service, channel, |arrived| of_sentinel(arrived) > before).await;
    }

    /// Waits until the store knows that every delivery is delivered. A dead letter would be waited for in vain.
    pub(crate) async fn quiet(&self, service: &Service) {
        let unfinished = ["--state", "queued", "--state", "sending", "--state", "dead", "--state", "parked"];
        let listing = [&["deliveries", "list", "--json"], &unfinished[..]].concat();
        let wait = async {
            while !self.listing(&listing).await.is_empty() {
                self.checked(service, SENTINEL, 1).await;
            }
        };
        self.patiently(service, "every delivery to be delivered", wait).await;
    }

    /// What one channel's receiver was sent, taken or not, oldest first.
    pub(crate) fn arrived(&self, channel: &str) -> Vec<Arrived> {
        arrived(&self.receivers.received(), channel)
    }

    /// What one channel's receiver took of one tenant, oldest first.
    pub(crate) fn accepted(&self, channel: &str, tenant: &str) -> Vec<Arrived> {
        accepted(self.arrived(channel), tenant)
    }

    /// Waits for an event; see [`event`].
    pub(crate) async fn patiently<T>(&self, service: &Service, what: &str, wait: impl Future<Output = T>) -> T {
        let arrived = event(wait).await;
        arrived.unwrap_or_else(|| {
            panic!("waited in vain for {what}\nreceived: {:#?}\nlog:\n{}", self.summary(), service.log())
        })
    }

    fn summary(&self) -> Vec<String> {
        let line = |request: &Arc<Received>| {
            let body = request.json();
            format!("{} {:?} {} {}", request.channel, request.status, body["type"], body["data"]["tenant"]["id"])
        };
        self.receivers.received().iter().map(line).collect()
    }
}

/// A tenant's directory, made from its slug.
pub(crate) fn entra(id: &str) -> EntraTenantId {
    EntraTenantId(Uuid::from_u128(
        id.bytes().fold(7, |hash: u128, byte| hash.wrapping_mul(131).wrapping_add(byte.into())),
    ))
}

/// Every file below a folder with its bytes.
pub(crate) fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    files
}
