//! The smaller keys at the top of the main file: operator, templates, fleet shifts, addresses.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    Channels, MetricsSettings, Operator,
    channel::whole,
    draft::Draft,
    endpoints::leads_to_loopback,
    field::{Field, Word},
    files,
    raw::{RawBrand, RawFlapping, RawFleet, RawMetrics, RawOperator},
    receivers::{Operators, is_one_receiver},
    rules::{above_zero, share},
    scope::Scope,
    words::{Names, notify, one_of, visible, written_out},
};
use crate::{
    channel,
    diagnostic::Warning,
    domain::{Brand, ChannelName, Color, Complaint, format_duration, parse_duration},
    notify::fleet::{FleetSettings, watch::Accept},
    rule::FlapLimit,
    template::Registry,
};

const NOBODY_HEARS: &str = "nobody is notified when Scorewatch can't read tenants, or when a channel fails";
const NAME_A_CHANNEL: &str = "write `operator: { notify: [CHANNEL] }`";

/// From then on, tenants have not been read for so long that nobody would know of their scores.
const BLIND_AFTER_MAX: Duration = Duration::from_hours(72);
/// Fewer tenants are more likely to move the same way by chance.
const SHIFT_TENANTS_FEW: usize = 5;

/// Who is notified when tenants can't be read.
pub(super) fn operator(
    raw: Field<RawOperator>,
    at: &Scope<'_>,
    names: &Names,
    channels: &Channels,
    draft: &mut Draft,
) -> Operator {
    if !raw.is_written() && !draft.is_misspelt(at) {
        draft.warning(Warning::OperatorMissing, at, NOBODY_HEARS, NAME_A_CHANNEL);
    }
    let written = draft.take(raw, at);
    let is_mapping = written.is_some();
    let raw = written.unwrap_or_default();
    at.only(RawOperator::KEYS, draft);
    let here = at.key("notify");
    let (count, is_absent) = (raw.notify.count(), !raw.notify.is_written());
    let notify = notify(raw.notify, &here, names, draft);
    let is_left_out = is_absent && is_mapping && !draft.is_one_meant(at, &["notify"]);
    if count == Some(0) || is_left_out {
        draft.warning(Warning::OperatorMissing, &here, NOBODY_HEARS, NAME_A_CHANNEL);
    }
    let is_fenced = |name: &ChannelName| channels.get(name).is_some_and(|channel| !channel.audience.is_open());
    for channel in notify.iter().filter(|name| is_fenced(name)) {
        let what = format!("channel `{channel}` is for some tenants only, and the operator hears of all");
        draft.error(&here, what, "name a channel without `tenants:` and `labels:`");
    }
    if count == Some(notify.len())
        && let [first, others @ ..] = &*notify
        && !is_fenced(first)
    {
        let operators = Operators {
            place: here.place(),
            key: here.path(),
            channels: notify.iter().filter_map(|name| channels.get(name).cloned()).collect(),
        };
        if others.iter().all(|other| is_one_receiver(channels, first, other)) {
            draft.list.push(operators.problem());
        }
        // Addresses behind different references are compared by `check`, which reads them.
        draft.world.operators = Some(operators);
    }
    let blind_at = at.key("blind_after");
    let blind_after = draft.duration(raw.blind_after, &blind_at, Duration::from_hours(2));
    if blind_after > BLIND_AFTER_MAX {
        let what =
            format!("nobody is notified that tenants can't be read until {} have passed", format_duration(blind_after));
        draft.warning(Warning::OperatorBlindLate, &blind_at, what, "write `blind_after: 2h`, or a day at most");
    }
    Operator { notify, blind_after }
}

/// The templates, and that each channel's own suits it.
pub(super) fn templates(
    raw: Field<Word>,
    at: &Scope<'_>,
    channels: &Channels,
    list: &Scope<'_>,
    draft: &mut Draft,
) -> Option<Arc<Registry>> {
    let is_written = raw.is_written();
    let written = draft.parse(raw, at, written_out);
    if is_written && written.is_none() {
        return None;
    }
    let folder = written.as_ref().map(|folder| at.folder().join(folder));
    if let (Some(folder), Some(written)) = (&folder, &written) {
        draft.watched.folder(folder);
        if !folder.is_dir() {
            draft.error(at, format!("there is no folder `{written}`"), "write a path relative to this file");
            return None;
        }
    }
    let registry =
        channel::templates_for(folder.as_deref(), channels).map_err(|found| draft.list.extend(found)).ok()?;
    draft.watched.note(registry.fingerprint());
    for (name, channel) in channels {
        let Some(template) = &channel.template else { continue };
        let Some(dialect) = channel.kind.dialect() else { continue };
        let here = list.key(name.as_str());
        if !registry.has(template) {
            let what = format!("there is no template `{template}`");
            draft.error(&here.key("template"), what, "put `NAME.hbs` into the folder of `templates:`");
        } else if !registry.suits(template, dialect) {
            let what = format!("template `{template}` does not write what `{}` takes", dialect.name);
            draft.error(&here.key("template"), what, "name a template for that `type`, or delete `template`");
        }
    }
    Some(Arc::new(registry))
}

/// Waiting time, size and acceptance of a fleet shift, where the tenants of a tick are spread over that time.
pub(super) fn fleet(raw: Field<RawFleet>, at: &Scope<'_>, spread: Duration, draft: &mut Draft) -> FleetSettings {
    let raw = draft.take(raw, at).unwrap_or_default();
    at.only(RawFleet::KEYS, draft);
    let default = FleetSettings::default();
    let hold_at = at.key("hold");
    // Nobody chose the default, which a longer `spread` extends.
    let is_written = raw.hold.is_written();
    let hold = draft.parse(raw.hold, &hold_at, parse_duration).unwrap_or(default.hold);
    if is_written && !hold.is_zero() && hold < spread {
        let what = format!(
            "a fleet shift waits {} for the rest of the fleet, and tenants are read over {}: it waits for as long as the `spread`",
            format_duration(hold),
            format_duration(spread)
        );
        let instead = format!("write `fleet: {{ hold: {} }}`, or a shorter `spread`", format_duration(spread));
        draft.warning(Warning::FleetHoldShorterThanSpread, &hold_at, what, instead);
    }
    let few_at = at.key("at_least");
    let at_least = draft.parse(raw.at_least, &few_at, two_or_more).unwrap_or(default.at_least);
    if at_least < SHIFT_TENANTS_FEW && !hold.is_zero() {
        let what =
            format!("{at_least} tenants that move the same way by chance are reported as one shift of the fleet");
        draft.warning(Warning::FleetAtLeastLow, &few_at, what, "write `at_least: 10`, or 5 at least");
    }
    let accept = [("proven", Accept::Proven), ("ask", Accept::Ask)];
    FleetSettings {
        hold,
        spread,
        accept: one_of(raw.accept, &at.key("accept"), &accept, draft).unwrap_or_default(),
        at_least,
        share_percent: draft.parse(raw.share, &at.key("share"), share).unwrap_or(default.share_percent),
    }
}

/// How many tenants make a shift: one alone moves like no other.
fn two_or_more(text: &str) -> Result<usize, Complaint> {
    match whole(text)? {
        1 => Err(Complaint::new("a single tenant is not a shift of the fleet", "write 5 or more, like `10`")),
        number => Ok(number),
    }
}

/// From how many changes on an alert is unstable.
pub(super) fn flapping(raw: Field<RawFlapping>, at: &Scope<'_>, draft: &mut Draft) -> FlapLimit {
    let raw = draft.take(raw, at).unwrap_or_default();
    at.only(RawFlapping::KEYS, draft);
    let default = FlapLimit::default();
    let changes = draft.parse(raw.changes, &at.key("changes"), |text| {
        let changes = text.parse().ok().filter(|changes| (2..=1000).contains(changes));
        changes.ok_or_else(|| {
            Complaint::new(format!("`{text}` is not a number of changes"), "write a whole number from 2 to 1000")
        })
    });
    FlapLimit {
        changes: changes.unwrap_or(default.changes),
        within: draft.parse(raw.within, &at.key("within"), above_zero).unwrap_or(default.within),
    }
}

/// What `/metrics` serves beyond counts.
pub(super) fn metrics(raw: Field<RawMetrics>, at: &Scope<'_>, draft: &mut Draft) -> MetricsSettings {
    let raw = draft.take(raw, at).unwrap_or_default();
    at.only(RawMetrics::KEYS, draft);
    let switch = [("true", true), ("false", false)];
    MetricsSettings { tenants: one_of(raw.tenants, &at.key("tenants"), &switch, draft).unwrap_or_default() }
}

/// Where the service listens if nothing else is written.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where dashboard, API and metrics listen.
pub(super) fn listen(raw: Field<Word>, at: &Scope<'_>, draft: &mut Draft) -> SocketAddr {
    let written = draft.parse(raw, at, |text| text.parse().map_err(|_| not_an_address(text)));
    let address = LISTEN_AT.get().copied().or(written);
    if let Some(address) = address.filter(|address: &SocketAddr| !address.ip().is_loopback()) {
        let what = format!("other machines can reach `{address}`, which speaks no TLS");
        let instead =
            "write `127.0.0.1` and put a proxy with TLS in front, or see to it that a firewall keeps others out";
        draft.warning(Warning::ListenBeyondLoopback, at, what, instead);
    }
    address.unwrap_or(LISTEN)
}

/// What the command line says instead of `listen:`; it holds for the whole process, and so for each reload.
static LISTEN_AT: OnceLock<SocketAddr> = OnceLock::new();

/// Lets every configuration that is loaded from now on listen there. Only the first call counts.
pub fn listen_at(address: SocketAddr) {
    // A second one would be a second service's.
    let _ = LISTEN_AT.set(address);
}

/// Where the service listens by its main file alone, or by default: whatever else is wrong there, the running service may have been
/// started before.
#[must_use]
pub fn listen_of(file: &Path) -> SocketAddr {
    let mut draft = Draft { is_lenient: true, ..Draft::default() };
    let source = files::read(file, &mut draft);
    let written = source.and_then(|source| source.value.get("listen")?.as_str()?.parse().ok());
    written.unwrap_or(LISTEN)
}

/// Whose reports these are.
pub(super) fn brand(raw: Field<RawBrand>, at: &Scope<'_>, draft: &mut Draft) -> Brand {
    let Some(raw) = draft.take(raw, at) else { return Brand::default() };
    at.only(RawBrand::KEYS, draft);
    let color = draft.parse(raw.color, &at.key("color"), |text| {
        let complaint =
            || Complaint::new(format!("`{text}` is not a color"), "write it like `\"#0b5fff\"`, with the quotes");
        Color::parse(text).ok_or_else(complaint)
    });
    Brand { name: draft.parse(raw.name, &at.key("name"), visible), color }
}

/// Base of the links in messages.
pub(super) fn public_url(raw: Field<Word>, at: &Scope<'_>, draft: &mut Draft) -> Option<String> {
    let address = draft.parse(raw, at, |text| {
        let address = url::Url::parse(text).ok().filter(|url| {
            let is_bare = url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "http" | "https") && is_bare && url.password().is_none()
        });
        address
            .map(|_| text.trim_end_matches('/').to_owned())
            .ok_or_else(|| Complaint::new("this is not a web address", "write it like `https://scores.mssp.example`"))
    });
    if address.as_ref().is_some_and(|address| !address.starts_with("https:")) {
        let what = "links with `http:` are shown in no message, and nobody can confirm a drill";
        draft.warning(
            Warning::PublicUrlWithoutTls,
            at,
            what,
            "write `https://` and let a proxy in front of `listen:` speak TLS",
        );
    } else if address.as_ref().is_some_and(|address| leads_to_loopback(address)) {
        let what = "links in messages lead to the machine of whoever reads them, and not to this one";
        draft.warning(
            Warning::PublicUrlLocal,
            at,
            what,
            "write the name by which readers reach it, or delete `public_url`",
        );
    }
    address
}

/// A port or a name where an address with a port belongs.
fn not_an_address(text: &str) -> Complaint {
    let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    let port = port.parse::<u16>().map_or_else(|_| "8080".to_owned(), |port| port.to_string());
    Complaint::new(format!("`{text}` is not an address with a port"), format!("write it like `127.0.0.1:{port}`"))
}
