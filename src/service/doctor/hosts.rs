//! Every host that the service calls: whether its name resolves, its address may be called, and TLS works. And this machine's clock,
//! compared with theirs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    Finding,
    finding::{counted, few},
};
use crate::{
    channel::{self, ChannelSettings, Form},
    clock::Clock,
    config::Config,
    delivery::secrets,
    domain::Timestamp,
    egress::{Egress, EgressError, Method, Outgoing, Policy, Private, Reached, Request},
    microsoft::hosts_called,
    notify::NotificationType,
    template::sample,
};

/// Hosts that are contacted at a time.
const CONTACTED_MAX: usize = 16;
/// How long one may take, from its name to TLS.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A greeting, or the answer whose date is wanted.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// A server's certificate that expires this soon has probably not been renewed as it should.
const CERTIFICATE_SOON: Duration = Duration::from_hours(14 * 24);
/// Assertions and ID tokens are good for minutes, and Entra allows five.
const CLOCK_OFF_MAX: Duration = Duration::from_mins(4);
const CLOCK_OFF_MUCH: Duration = Duration::from_secs(30);

/// A host, and who calls it.
struct Destination {
    host: String,
    users: Vec<String>,
    outgoing: Outgoing,
    private: Private,
}

type Destinations = Vec<Destination>;

pub(super) async fn findings(config: &Arc<Config>, egress: &Egress, clock: &Clock) -> Vec<Finding> {
    let mut destinations = Destinations::new();
    let clouds = of_tenants(config, &mut destinations);
    of_sign_in(config, &mut destinations);
    let mut found = of_channels(config, clock, &mut destinations).await;
    let asked = destinations.into_iter().map(async |destination| {
        let Destination { host, users, outgoing, private } = destination;
        let reached = egress.reach(&outgoing, &policy(private)).await;
        judge(&host, &users, &reached, clock.now())
    });
    let mut of_hosts: Vec<_> = stream::iter(asked).buffer_unordered(CONTACTED_MAX).collect().await;
    of_hosts.sort_by(|one: &Finding, other| one.what.cmp(&other.what));
    found.extend(of_hosts);
    found.extend(of_clock(&clouds, egress, clock).await);
    found
}

const fn policy(private: Private) -> Policy {
    Policy { private, deadline: ANSWER_WITHIN, answer_bytes_max: ANSWER_BYTES_MAX, fail_above_max: false }
}

fn get(url: &str) -> Outgoing {
    Request { method: Method::Get, url: url.into(), headers: Vec::new(), body: Bytes::new() }.into()
}

fn add(destinations: &mut Destinations, outgoing: Outgoing, private: Private, user: &str) {
    let Some(host) = outgoing.host() else { return };
    // What is allowed to one user of a host may not be allowed to another.
    let known = destinations.iter_mut().find(|known| known.host == host && known.private == private);
    match known {
        Some(known) if known.users.iter().any(|name| name == user) => {}
        Some(known) => known.users.push(user.to_owned()),
        None => destinations.push(Destination { host, users: vec![user.to_owned()], outgoing, private }),
    }
}

/// The hosts of each cloud, by the scores that are polled there; the sign-in services with what is allowed to them.
fn of_tenants(config: &Config, destinations: &mut Destinations) -> Vec<(String, Private)> {
    let mut clouds: BTreeMap<String, Private> = BTreeMap::new();
    for tenant in config.tenants.values() {
        let hosts = &tenant.account.hosts;
        let private = if hosts.loopback { Private::Loopback } else { Private::Refused };
        for url in hosts_called(hosts, &tenant.scores) {
            add(destinations, get(url), private.clone(), "the tenants");
        }
        clouds.entry(hosts.login.clone()).or_insert(private);
    }
    clouds.into_iter().collect()
}

fn of_sign_in(config: &Config, destinations: &mut Destinations) {
    if let Some(provider) = &config.access.oidc {
        add(destinations, get(&provider.issuer), provider.private.clone(), "sign-in");
    }
}

/// The receivers. What can't be written for one is a finding of its own.
async fn of_channels(config: &Config, clock: &Clock, destinations: &mut Destinations) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in config.channels.values() {
        secrets::fetch(settings).await;
        match written(settings, config, clock.now()) {
            Ok(outgoing) => {
                let user = format!("channel `{}`", settings.name);
                add(destinations, outgoing, settings.private.clone(), &user);
            }
            Err(error) => {
                let what = format!("channel `{}` can't write a message: {error}", settings.name);
                found.push(Finding::error("hosts", what, "run `scorewatch check`"));
            }
        }
    }
    found
}

/// A sample message, of which only the host is used.
fn written(
    settings: &Arc<ChannelSettings>,
    config: &Config,
    now: Timestamp,
) -> Result<Outgoing, channel::ComposeError> {
    let message = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    channel::open(settings, &config.templates).compose(&message, Form::Rich, now)
}

fn judge(host: &str, users: &[String], reached: &Result<Reached, EgressError>, now: Timestamp) -> Finding {
    let users = match users {
        [one] => one.clone(),
        [first, ..] => format!("{first} and {}", counted(users.len() - 1, "other")),
        [] => "nobody".to_owned(),
    };
    let error = match reached {
        Ok(Reached { certificate_until: Some(until) }) if *until <= now.plus(CERTIFICATE_SOON) => {
            let day = until.to_chrono().date_naive();
            let what = format!("{host}: its certificate expires on {day} (used by {users})");
            return Finding::warning("hosts", what, "have its owner renew it");
        }
        Ok(Reached { certificate_until: None }) => {
            return Finding::ok("hosts", format!("{host} is reachable (used by {users})"));
        }
        Ok(Reached { certificate_until: Some(_) }) => {
            return Finding::ok("hosts", format!("{host} is reachable by TLS (used by {users})"));
        }
        Err(error) => error,
    };
    let what = format!("{host}: {error} (used by {users})");
    Finding::error("hosts", what, advice(error))
}

/// What to do about a host that can't be reached.
fn advice(error: &EgressError) -> &'static str {
    match error {
        EgressError::NotAllowed(_) => {
            "correct the address; for a receiver in your own network, set `allow_private` on its channel"
        }
        EgressError::Resolve => "check the name, and this machine's name servers",
        EgressError::Connect(what) if what.contains("certificate") => {
            "install the certificate of the issuer on this machine, if you trust it, and check for a proxy that inspects TLS"
        }
        EgressError::Connect(_) | EgressError::Timeout(_) => {
            "let this machine connect to that host and port, in the firewall and in the proxy of the network"
        }
        EgressError::NotOffered(_) => "use a port with TLS: `smtps://`",
        _ => "check the address, and whether something between this machine and the host changes the connection",
    }
}

/// This machine's clock against that of the first cloud that says what time it is.
async fn of_clock(clouds: &[(String, Private)], egress: &Egress, clock: &Clock) -> Option<Finding> {
    for (login, private) in clouds {
        let before = clock.now();
        let Ok(Some(theirs)) = egress.time_at(login, &policy(private.clone())).await else { continue };
        let after = clock.now();
        return Some(judge_clock(theirs, before, after, login));
    }
    let hosts: Vec<_> = clouds.iter().map(|(login, _)| login.as_str()).collect();
    (!hosts.is_empty()).then(|| Finding::skipped("clock", format!("{} gave no time to compare it with", few(&hosts))))
}

/// The answer was made between `before` and `after`, and its date has whole seconds.
fn judge_clock(theirs: Timestamp, before: Timestamp, after: Timestamp, host: &str) -> Finding {
    let (behind, ahead) = (theirs.since(after), before.since(theirs.plus(Duration::from_secs(1))));
    let off = behind.max(ahead).as_secs();
    let direction = if behind > ahead { "behind" } else { "ahead of" };
    let what = format!("this machine's clock is {off} s {direction} that of {host}");
    let instead = "let the system keep its clock: `timedatectl set-ntp true`";
    match Duration::from_secs(off) {
        off if off > CLOCK_OFF_MAX => Finding::error("clock", what, instead),
        off if off > CLOCK_OFF_MUCH => Finding::warning("clock", what, instead),
        Duration::ZERO => Finding::ok("clock", format!("this machine's clock agrees with that of {host}")),
        _ => Finding::ok("clock", what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn the_clock_is_compared_with_an_answer_of_whole_seconds() {
        let at = |seconds: i64| Timestamp::from_seconds(1_000_000 + seconds);
        for (theirs, verdict, said) in [
            (0, Verdict::Ok, "agrees"),
            (1, Verdict::Ok, "agrees"),
            (-1, Verdict::Ok, "agrees"),
            (12, Verdict::Ok, "is 11 s behind"),
            (-12, Verdict::Ok, "is 11 s ahead of"),
            (60, Verdict::Warning, "is 59 s behind"),
            (-400, Verdict::Error, "is 399 s ahead of"),
            (400, Verdict::Error, "is 399 s behind"),
        ] {
            let found = judge_clock(at(theirs), at(0), at(1), "login.example");
            assert_eq!(found.verdict, verdict, "{theirs}: {found:?}");
            assert!(found.what.contains(said), "{theirs}: {found:?}");
        }
    }

    #[test]
    fn a_host_is_judged_by_how_far_a_connection_got() {
        let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
        let until = |day: &str| Ok(Reached { certificate_until: Timestamp::parse(&format!("{day}T00:00:00Z")) });
        for (reached, verdict, said) in [
            (Ok(Reached { certificate_until: None }), Verdict::Ok, "is reachable ("),
            (until("2027-06-01"), Verdict::Ok, "by TLS"),
            (until("2026-12-10"), Verdict::Warning, "expires on 2026-12-10"),
            (Err(EgressError::Resolve), Verdict::Error, "could not be resolved"),
            (Err(EgressError::Connect("refused".to_owned())), Verdict::Error, "refused"),
        ] {
            let found = judge("soar.example:443", &["channel `soc`".to_owned()], &reached, now);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.what.contains(said) && found.what.contains("channel `soc`"), "{found:?}");
        }
    }
}
