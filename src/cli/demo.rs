//! `scorewatch demo`: the real service against a simulated Microsoft cloud and chat receivers on loopback.

mod accounts;
mod folder;
mod messages;
mod past;

use std::{
    fs,
    io::IsTerminal,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use self::{folder::Doors, past::Past};
use super::{
    Failure, alerts, caller, explain,
    output::{self, Ink},
};
use crate::{
    action::alert,
    clock::Clock,
    config::{self, Config, reload::Changes},
    domain::ChannelName,
    notify::{DeliveryState, silence::Acknowledgement},
    query::alerts::Which,
    service::Service,
    simulation::{
        Cloud, Receivers,
        cloud::CloudSettings,
        scenario::{Change, Person, Scenario, Stage, Step},
    },
    telemetry::Metrics,
};

/// How often an act checks whether everything has been sent.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How often the service looks at what it otherwise looks at every five seconds.
const SWEEP_INTERVAL: Duration = Duration::from_millis(500);
/// How many checks of each tenant an act waits for in which nothing happens.
const CALM_CHECKS: u64 = 2;
/// How long these checks take at most on a machine that keeps up.
const CALM_USUAL: Duration = Duration::from_millis(3_500);
/// How long an act waits for what it causes.
const ACT_MAX: Duration = Duration::from_mins(2);
/// The shortest time that each act takes, so that a person can follow.
const ACT_MIN: Duration = Duration::from_millis(1_200);
/// The rows of an explanation: those of a terminal, without a blank line, the act's title, what is worth a look, and the command.
const EXPLAINED_ROWS: usize = 24 - 4;
/// How many calls one round of checks makes.
const CALLS_PER_TENANT: u64 = 3;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch demo              36 customers: a drop, a fleet shift, a digest, an expired secret
  scorewatch demo --stay       keeps the dashboard open afterward, until Ctrl-C, as it does on a terminal
  scorewatch demo --sign-in    people sign in: as an administrator, an analyst, or a customer's own IT lead
  scorewatch demo --payloads   also the exact JSON that each receiver got
  scorewatch demo --keep       leave configuration and store behind, to look at them with other commands

Everything is real except the cloud and the receivers, which listen on 127.0.0.1: configuration files in a temporary \
folder, store, rules, templates, HTTP. Nothing leaves this machine. The story takes about 20 seconds. On a terminal, \
the dashboard then stays open until Ctrl-C, which leaves nothing behind. While it does, the simulated cloud answers \
other commands that are given the demo's configuration with `--config`.")]
pub(super) struct Arguments {
    /// Show the exact JSON that each receiver got
    #[arg(long)]
    payloads: bool,
    /// Leave the folder with configuration and store behind, and print its path
    #[arg(long)]
    keep: bool,
    /// Keep the service and its dashboard running after the story, until Ctrl-C; the default on a terminal
    #[arg(long)]
    stay: bool,
    /// Let people sign in to the dashboard, with accounts that are printed
    #[arg(long)]
    sign_in: bool,
    /// Where a proxy with TLS serves the dashboard: messages link there, and people sign in
    #[arg(long, value_name = "URL", value_parser = served_at)]
    public_url: Option<String>,
}

/// An address that messages can link to.
fn served_at(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or_else(|| "write it like `https://scores.example`".to_owned())
}

pub(super) async fn demo(arguments: &Arguments) -> Result<(), Failure> {
    // Before anything is made that would have to be removed.
    let mut ends = Ends::listen()?;
    output::say_in(Ink::Faint, "Preparing 36 simulated customers and their past …");
    let folder = tempfile::Builder::new().prefix("scorewatch-demo-").tempdir()?;
    let past = Past::new(Clock::System.now());
    let cloud = Cloud::start(CloudSettings::new(past.clock_of_the_cloud())).await.context("the simulated cloud")?;
    let receivers = Receivers::start().await.context("the simulated receivers")?;
    let scenario = Scenario::customers();
    let doors = Doors { sign_in: arguments.sign_in, public_url: arguments.public_url.as_deref() };
    folder::write(folder.path(), &scenario, &cloud, &receivers, doors, Clock::System.now())?;
    let config = Arc::new(configured(&folder.path().join("scorewatch.yaml"))?);
    let stage = Stage::set(scenario, &cloud, Clock::System.now());
    let lived = tokio::select! {
        lived = past.play(&config, &stage, &cloud) => Some(lived),
        () = ends.any() => None,
    };
    match lived {
        Some(lived) => lived?,
        None => return stopped(folder),
    }
    let (taking, taken) = watch::channel(config.clone());
    let (_rejecting, rejected) = watch::channel(None);
    let changes = Changes { taken, rejected };
    let service = Service::start(changes, Clock::System, Metrics::default(), CancellationToken::new()).await?;
    let theater = Theater {
        folder: folder.path(),
        cloud: &cloud,
        receivers: &receivers,
        service: &service,
        taking: &taking,
        config: &config,
        payloads: arguments.payloads,
    };
    let stays = arguments.stay || std::io::stdout().is_terminal();
    let played = tokio::select! {
        played = theater.play(stage) => Some(played),
        () = ends.any() => None,
    };
    if stays && matches!(played, Some(Ok(()))) {
        // Nothing happens any more, so nobody has to look every second.
        folder::check_every_minute(folder.path())?;
        reload(folder.path(), &taking)?;
        output::say_in(Ink::Bold, &format!("\nThe dashboard stays open: http://{}/", service.address()));
        output::say_in(Ink::Faint, "Ctrl-C ends it.");
        ends.any().await;
    }
    service.stop().await;
    match played {
        Some(Ok(())) if arguments.keep => {
            let kept = folder.keep();
            output::say(&format!("Kept: {}", kept.display()));
            output::say(&format!("Try: scorewatch --config {}/scorewatch.yaml deliveries list", kept.display()));
            Ok(())
        }
        Some(played) => {
            folder.close()?;
            played
        }
        None => stopped(folder),
    }
}

fn stopped(folder: tempfile::TempDir) -> Result<(), Failure> {
    folder.close()?;
    output::complain("stopped; nothing was left behind");
    Err(Failure::Run(None))
}

/// The demo's own configuration.
fn configured(file: &Path) -> Result<Config, Failure> {
    let loaded = config::load(file);
    loaded.config.ok_or_else(|| {
        output::complain_of(&loaded.problems, &loaded.excerpts);
        Failure::Run(Some(anyhow::anyhow!("the demo's own configuration was rejected; this is a bug in scorewatch")))
    })
}

fn reload(folder: &Path, taking: &watch::Sender<Arc<Config>>) -> Result<(), Failure> {
    taking.send_replace(Arc::new(configured(&folder.join("scorewatch.yaml"))?));
    Ok(())
}

/// The signals that end the demo.
struct Ends([Signal; 3]);

impl Ends {
    fn listen() -> std::io::Result<Self> {
        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, terminate?, hang_up?]))
    }

    /// Waits for one of them.
    async fn any(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

/// What the acts are played on.
struct Theater<'a> {
    folder: &'a Path,
    cloud: &'a Cloud,
    receivers: &'a Receivers,
    service: &'a Service,
    taking: &'a watch::Sender<Arc<Config>>,
    config: &'a Config,
    payloads: bool,
}

/// Says what is coming.
fn introduce(folder: &Path, service: &Service, acts: usize) {
    output::say_in(
        Ink::Bold,
        &format!("The real service watches 36 simulated customers, in {acts} acts of a second or two."),
    );
    output::say("It checks each customer every second, instead of every 15 minutes.");
    output::say("Nothing leaves this machine.");
    output::say(&format!("Dashboard: http://{}/", service.address()));
    output::say_in(Ink::Faint, &format!("Configuration and store: {}", folder.display()));
}

impl Theater<'_> {
    /// Plays the whole story.
    async fn play(&self, mut stage: Stage) -> Result<(), Failure> {
        let acts = stage.steps();
        introduce(self.folder, self.service, acts);
        if self.config.needs_sign_in() {
            accounts::make(self.service.store().as_ref(), self.config).await?;
        }
        let mut number = 0;
        while let Some(step) = stage.advance(self.cloud, self.receivers).cloned() {
            number += 1;
            output::say_in(Ink::Bold, &format!("\n── {number} of {acts}: {}", step.title));
            output::say_in(Ink::Faint, &format!("   {}", step.look));
            let began = Instant::now();
            self.act(&step, &stage).await?;
            if number == 1 {
                self.slow_down(began.elapsed())?;
            }
        }
        let sent = self.receivers.received().iter().filter(|message| message.accepted()).count();
        output::say_in(Ink::Bold, &format!("\n{sent} messages in all, none of them sent twice."));
        output::say("Next: `scorewatch init` writes a configuration for your own tenants.");
        Ok(())
    }

    /// On a slow machine, lets the fleet's `hold` be long enough to check every customer within it, so that one message covers all.
    fn slow_down(&self, calm: Duration) -> Result<(), Failure> {
        if calm > CALM_USUAL {
            // Twice as long as these checks took, for each: what else such a machine does may be more in the next act.
            let hold = 2 * CALM_CHECKS * calm.as_secs() + 2;
            folder::slow_down(self.folder, hold.min(ACT_MAX.as_secs() / 2))?;
            reload(self.folder, self.taking)?;
        }
        Ok(())
    }

    /// Waits for what a step causes, and shows it.
    async fn act(&self, step: &Step, stage: &Stage) -> Result<(), Failure> {
        let before = self.receivers.received().len();
        self.renew_secrets(&step.changes, stage)?;
        if let Some(later) = &step.later {
            self.until(async || self.waiting(Some(later.channel)).await >= later.deliveries).await;
            stage.apply(&later.change, self.cloud, self.receivers);
        }
        let is_calm = step.messages == 0 && step.person.is_none();
        let calls =
            self.cloud.counts().score_requests + CALM_CHECKS * CALLS_PER_TENANT * self.config.tenants.len() as u64;
        let settled = self.until(async || {
            let received = self.receivers.received();
            let accepted = received[before..].iter().filter(|message| message.accepted()).count();
            let is_checked = !is_calm || self.cloud.counts().score_requests >= calls;
            is_checked && accepted >= step.messages && self.waiting(None).await == 0
        });
        tokio::join!(settled, tokio::time::sleep(ACT_MIN));
        messages::show(&self.receivers.received()[before..], self.payloads)?;
        match step.person {
            Some(person) => self.person(person).await,
            None => Ok(()),
        }
    }

    async fn person(&self, person: Person) -> Result<(), Failure> {
        let store = self.service.store();
        match person {
            Person::Acknowledges { tenant, rule, comment } => {
                let command = format!("scorewatch alerts acknowledge {tenant} {rule} --comment '{comment}'");
                output::say_in(Ink::Cyan, &format!("  $ {command}"));
                let by = Acknowledgement { at: Clock::System.now(), by: caller::name(), comment: comment.to_owned() };
                alert::acknowledge(store.as_ref(), &caller::caller(), &Which::named(tenant, rule, None), by).await?;
                output::say_in(Ink::Cyan, "  $ scorewatch alerts list");
                alerts::show_open(store.as_ref(), self.config).await
            }
            Person::AsksWhy { tenant, rule } => {
                output::say_in(Ink::Cyan, &format!("  $ scorewatch explain {tenant} {rule}"));
                explain::show(store.as_ref(), self.config, Which::named(tenant, rule, None), EXPLAINED_ROWS).await
            }
        }
    }

    /// Stores the new secret where the configuration refers to; the running service finds it there.
    fn renew_secrets(&self, changes: &[Change], stage: &Stage) -> Result<(), Failure> {
        for change in changes {
            if let Change::SecretRenewed { tenant } = change
                && let Some(entra) = stage.entra(tenant)
            {
                self.cloud.set_secret(entra, "renewed-secret");
                fs::write(self.folder.join("secrets").join(tenant), "renewed-secret")?;
            }
        }
        Ok(())
    }

    /// How many deliveries are still to be sent: to this channel, or to any.
    async fn waiting(&self, channel: Option<&str>) -> u64 {
        let is_waiting = |name: &ChannelName, state: &DeliveryState| {
            !state.is_finished() && channel.is_none_or(|channel| channel == name.as_str())
        };
        let totals = self.service.store().totals().await;
        totals.map_or(0, |totals| {
            totals.deliveries.iter().filter(|(name, state, _)| is_waiting(name, state)).map(|(.., count)| count).sum()
        })
    }

    /// Waits until something is so, for a limited time, and says so if that was not enough. Meanwhile the service looks more often than it does on its own.
    async fn until(&self, mut is_so: impl AsyncFnMut() -> bool) {
        let look = async {
            while !is_so().await {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        let sweep = async {
            loop {
                tokio::time::sleep(SWEEP_INTERVAL).await;
                self.service.sweep();
            }
        };
        let is_in_time = tokio::time::timeout(ACT_MAX, async {
            tokio::select! { () = look => {}, () = sweep => {} }
        });
        if is_in_time.await.is_err() {
            output::complain(&format!("not all of it happened within {} s; the story goes on", ACT_MAX.as_secs()));
        }
    }
}
