//! Tenants: written → meant. What is equal between tenants is shared, so that 100,000 of them fit in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use chrono::NaiveDate;
use url::{Host, Url};
use uuid::Uuid;

use super::{
    Tenant,
    field::{Field, Word},
    raw::{RawCredential, RawEndpoints, RawTenant},
    scope::{Problems, Scope, nearest, quoted},
    secrets,
};
use crate::{
    diagnostic::Place,
    domain::{ChannelName, Cloud, EntraTenantId, Labels, Region, ScoreKind, TenantId, Timestamp},
    microsoft::{Account, AppCredential, Hosts, Proof},
    schedule::Schedule,
};

/// The scores that this version can poll.
pub(super) const POLLED: [ScoreKind; 2] = [ScoreKind::DeviceSecureScore, ScoreKind::ExposureScore];

/// Base URLs that override a cloud's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Endpoints {
    login: Option<String>,
    defender: Option<String>,
    graph: Option<String>,
}

/// An app and when its credential expires.
pub(super) type Credential = (Arc<AppCredential>, Option<Timestamp>);

/// What a tenant inherits from the top of the main file.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    pub(super) schedule: Option<(String, chrono_tz::Tz)>,
    pub(super) timezone: chrono_tz::Tz,
    pub(super) scores: Vec<ScoreKind>,
    pub(super) credential: Option<Credential>,
    /// There is a credential at the top, but a bad one, of which was told.
    pub(super) credential_written: bool,
    pub(super) endpoints: Endpoints,
}

/// The tenants read so far, and what they share.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    pub(super) by_id: BTreeMap<TenantId, Arc<Tenant>>,
    pub(super) places: HashMap<TenantId, Place>,
    entra: HashMap<EntraTenantId, TenantId>,
    labels: Shared<Labels>,
    hosts: Shared<Hosts>,
    apps: Shared<AppCredential>,
    schedules: HashMap<(String, chrono_tz::Tz), Result<Arc<Schedule>, String>>,
    scores: HashMap<Vec<ScoreKind>, Arc<[ScoreKind]>>,
}

/// Values of which equal ones are kept once.
#[derive(Debug)]
struct Shared<T>(HashSet<Arc<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Hash + Eq> Shared<T> {
    fn share(&mut self, value: T) -> Arc<T> {
        if let Some(known) = self.0.get(&value) {
            return Arc::clone(known);
        }
        let value = Arc::new(value);
        self.0.insert(Arc::clone(&value));
        value
    }
}

impl Tenants {
    /// Takes one tenant; with any error in it, it is not taken.
    pub(super) fn take(
        &mut self,
        raw: RawTenant,
        at: &Scope<'_>,
        inherited: &Inherited,
        channels: &HashSet<&str>,
        problems: &mut Problems,
    ) {
        at.only(RawTenant::KEYS, problems);
        let id = problems.require(raw.id, &at.key("id"), "contoso");
        let id = id.and_then(|Word(text)| name(&text, &at.key("id"), TenantId::parse, problems));
        let display = problems.take(raw.name, &at.key("name")).map(|Word(text)| text);
        let entra = problems
            .require(raw.tenant_id, &at.key("tenant_id"), "2f1c0a5e-0000-4000-8000-000000000001")
            .and_then(|Word(text)| guid(&text, &at.key("tenant_id"), problems));
        let cloud = one_of(raw.cloud, &at.key("cloud"), &Cloud::ALL.map(|cloud| (cloud.as_str(), cloud)), problems);
        let region =
            one_of(raw.region, &at.key("region"), &Region::ALL.map(|region| (region.as_str(), region)), problems);
        let endpoints = endpoints(raw.endpoints, &at.key("endpoints"), problems);
        let credential = if raw.credential.is_written() {
            self.credential(raw.credential, &at.key("credential"), problems)
        } else {
            if !inherited.credential_written {
                problems.error(
                    at,
                    "this tenant has no `credential`",
                    "write `credential: { client_id: …, secret: { file: … } }` here, or once at the top of the main file",
                );
            }
            inherited.credential.clone()
        };
        let labels = labels(raw.labels, &at.key("labels"), problems);
        let notify = notify(raw.notify, &at.key("notify"), channels, problems);
        let schedule = self.schedule(raw.schedule, raw.timezone, at, inherited, problems);
        let scores = if raw.scores.is_written() {
            scores(raw.scores, &at.key("scores"), problems)
        } else {
            inherited.scores.clone()
        };
        let (Some(id), Some(entra)) = (id, entra) else { return };
        self.check_unique(&id, entra, at, problems);
        let (Some((app, credential_expires)), Some(schedule)) = (credential, schedule) else { return };
        let hosts = self.hosts.share(hosts(cloud.unwrap_or_default(), region, &endpoints, &inherited.endpoints));
        let scores = Arc::clone(self.scores.entry(scores).or_insert_with_key(|scores| scores.as_slice().into()));
        let tenant = Tenant {
            name: display.unwrap_or_else(|| id.as_str().to_owned()).into(),
            labels: self.labels.share(labels),
            account: Account { tenant: id.clone(), entra, hosts, app },
            schedule,
            scores,
            notify,
            credential_expires,
            id: id.clone(),
        };
        self.by_id.insert(id, Arc::new(tenant));
    }

    fn check_unique(&mut self, id: &TenantId, entra: EntraTenantId, at: &Scope<'_>, problems: &mut Problems) {
        let place = at.key("id").place();
        if let Some(first) = self.places.get(id) {
            let what = format!("tenant `{id}` is defined a second time; the first is at {first}");
            problems.error(&at.key("id"), what, "give each tenant an `id` of its own");
            return;
        }
        self.places.insert(id.clone(), place);
        if let Some(first) = self.entra.insert(entra, id.clone()) {
            let where_first = self.places.get(&first).map(|place| format!(" at {place}")).unwrap_or_default();
            let what = format!("this `tenant_id` is also the one of tenant `{first}`{where_first}");
            problems.error(
                &at.key("tenant_id"),
                what,
                "copy the directory (tenant) ID from the overview page of each tenant in Entra",
            );
        }
    }

    /// Reads a credential; equal ones are shared.
    pub(super) fn credential(
        &mut self,
        raw: Field<RawCredential>,
        at: &Scope<'_>,
        problems: &mut Problems,
    ) -> Option<Credential> {
        let raw = problems.take(raw, at)?;
        at.only(RawCredential::KEYS, problems);
        let client_id = problems
            .require(raw.client_id, &at.key("client_id"), "6d2a0000-0000-4000-8000-000000000002")
            .and_then(|Word(text)| guid(&text, &at.key("client_id"), problems));
        for (key, written) in
            [("certificate", raw.certificate.is_written()), ("federated_token", raw.federated_token.is_written())]
        {
            if written {
                let what = "this version signs in with a secret only";
                problems.error(&at.key(key), what, "write `secret: { file: … }`");
            }
        }
        let other = raw.certificate.is_written() || raw.federated_token.is_written();
        let secret = if other && !raw.secret.is_written() {
            None
        } else {
            let secret = problems.require(raw.secret, &at.key("secret"), "{ file: secrets/contoso }");
            secret.and_then(|secret| secrets::reference(secret, &at.key("secret"), problems))
        };
        let expires = problems.parse(raw.expires, &at.key("expires"), day);
        let app = AppCredential { client_id: client_id?, proof: Proof::Secret(secret?) };
        Some((self.apps.share(app), expires))
    }

    fn schedule(
        &mut self,
        schedule: Field<Word>,
        timezone: Field<Word>,
        at: &Scope<'_>,
        inherited: &Inherited,
        problems: &mut Problems,
    ) -> Option<Arc<Schedule>> {
        let zone = problems.parse(timezone, &at.key("timezone"), zone).unwrap_or(inherited.timezone);
        let here = at.key("schedule");
        let written = schedule.is_written();
        let expression = problems.take(schedule, &here).map(|Word(text)| text);
        if written && expression.is_none() {
            return None;
        }
        let expression = expression.or_else(|| inherited.schedule.as_ref().map(|(text, _)| text.clone()))?;
        let read = |(text, zone): &(String, chrono_tz::Tz)| Schedule::parse(text, *zone).map(Arc::new);
        match self.schedules.entry((expression, zone)).or_insert_with_key(read) {
            Ok(schedule) => Some(Arc::clone(schedule)),
            Err(sentence) => {
                // A bad one at the top was told there.
                if written {
                    let (what, instead) =
                        sentence.split_once("; ").unwrap_or((sentence, "write six fields, seconds first"));
                    problems.error(&here, what, instead);
                }
                None
            }
        }
    }
}

/// A name that keeps to the grammar.
pub(super) fn name<T, E: std::fmt::Display>(
    text: &str,
    at: &Scope<'_>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    problems: &mut Problems,
) -> Option<T> {
    parse(text)
        .map_err(|why| problems.error(at, why.to_string(), "use a-z, 0-9 and, after the first, `-`, `_`, `.`"))
        .ok()
}

fn guid<T: From<Guid>>(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<T> {
    // The text is not shown: people paste secrets into the wrong field.
    match Uuid::parse_str(text) {
        Ok(guid) => Some(Guid(guid).into()),
        Err(_) => {
            problems.error(at, "this is no GUID", "write it as Entra shows it: `2f1c0a5e-0000-4000-8000-000000000001`");
            None
        }
    }
}

struct Guid(Uuid);

impl From<Guid> for Uuid {
    fn from(guid: Guid) -> Self {
        guid.0
    }
}

impl From<Guid> for EntraTenantId {
    fn from(guid: Guid) -> Self {
        Self(guid.0)
    }
}

fn day(text: &str) -> Result<Timestamp, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = day.and_then(|day| Timestamp::from_chrono(day.and_time(chrono::NaiveTime::MIN).and_utc()));
    midnight.ok_or_else(|| "this is no day; write it like `2027-03-01`".to_owned())
}

/// Reads an IANA time zone.
pub(super) fn zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse().map_err(|_| {
        let near = nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let instead =
            near.map_or("write an IANA name like `Europe/Berlin`".to_owned(), |zone| format!("did you mean `{zone}`?"));
        format!("`{text}` is no time zone; {instead}")
    })
}

/// One of the known words.
pub(super) fn one_of<T: Copy>(
    field: Field<Word>,
    at: &Scope<'_>,
    known: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    problems.parse(field, at, |text| {
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            format!("`{text}` is not known here; use one of {}", quoted(&words))
        })
    })
}

/// Scores that this version can poll.
pub(super) fn scores(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, problems: &mut Problems) -> Vec<ScoreKind> {
    let mut scores = Vec::new();
    for (index, Word(text)) in problems.items(raw, at) {
        if let Some(score) = score(&text, &at.item(index), problems)
            && !scores.contains(&score)
        {
            scores.push(score);
        }
    }
    if scores.is_empty() {
        let instead = format!("write `scores: [{}]`", POLLED[0]);
        problems.error(at, "there is no score here that can be polled", instead);
    }
    scores
}

/// One score that this version can poll.
pub(super) fn score(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<ScoreKind> {
    let known = ScoreKind::from_name(text);
    if let Some(score) = known.filter(|score| POLLED.contains(score)) {
        return Some(score);
    }
    let what =
        if known.is_some() { format!("this version can't poll `{text}` yet") } else { format!("`{text}` is no score") };
    problems.error(at, what, format!("use one of {}", quoted(&POLLED.map(ScoreKind::as_str))));
    None
}

/// Labels, or the selector of labels.
pub(super) fn labels(raw: Field<BTreeMap<String, Field<String>>>, at: &Scope<'_>, problems: &mut Problems) -> Labels {
    let mut labels = Labels::new();
    for (key, value) in problems.take(raw, at).unwrap_or_default() {
        let here = at.key(&key);
        match value {
            Field::Good(value) => drop(labels.insert(key.as_str().into(), value.into())),
            _ => problems.error(&here, "a label's value is a text", "put the value in quotes"),
        }
    }
    labels
}

/// Channels that are defined.
pub(super) fn notify(
    raw: Field<Vec<Field<Word>>>,
    at: &Scope<'_>,
    channels: &HashSet<&str>,
    problems: &mut Problems,
) -> Vec<ChannelName> {
    let mut told = Vec::new();
    for (index, Word(text)) in problems.items(raw, at) {
        if channels.contains(text.as_str()) {
            told.extend(ChannelName::parse(&text));
        } else {
            let instead = match nearest(&text, channels.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "define it under `channels:` of the main file".to_owned(),
            };
            problems.error(&at.item(index), format!("channel `{text}` is not defined"), instead);
        }
    }
    told
}

/// Base URLs that override a cloud's own.
pub(super) fn endpoints(raw: Field<RawEndpoints>, at: &Scope<'_>, problems: &mut Problems) -> Endpoints {
    let Some(raw) = problems.take(raw, at) else { return Endpoints::default() };
    at.only(RawEndpoints::KEYS, problems);
    Endpoints {
        login: problems.parse(raw.login, &at.key("login"), base_url),
        defender: problems.parse(raw.defender, &at.key("defender"), base_url),
        graph: problems.parse(raw.graph, &at.key("graph"), base_url),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "this is no URL; write it like `https://login.example`".to_owned())?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        _ if !plain => {
            Err("a base URL has no user, query or fragment; write it like `https://login.example`".to_owned())
        }
        "https" => Ok(text.trim_end_matches('/').to_owned()),
        "http" if is_loopback(&url) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("secrets would travel in the open; use `https:`, or `http:` with a loopback address".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn hosts(cloud: Cloud, region: Option<Region>, own: &Endpoints, inherited: &Endpoints) -> Hosts {
    let mut hosts = Hosts::of(cloud, region);
    for (host, own, inherited) in [
        (&mut hosts.login, &own.login, &inherited.login),
        (&mut hosts.defender, &own.defender, &inherited.defender),
        (&mut hosts.graph, &own.graph, &inherited.graph),
    ] {
        if let Some(url) = own.as_ref().or(inherited.as_ref()) {
            hosts.loopback |= Url::parse(url).is_ok_and(|url| is_loopback(&url));
            host.clone_from(url);
        }
    }
    hosts
}

/// How long a day is.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
