//! Tenants: written → meant. What is equal between tenants is shared, so that 100,000 of them fit in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use super::{
    Channels, Tenant,
    credential::credential,
    draft::Draft,
    endpoints::{Endpoints, endpoints, hosts},
    exclusions::{self, Exclusions},
    field::{Field, Word},
    matchers::Known,
    raw::{OneOrMany, RawCredential, RawTenant},
    scope::{Scope, Spot},
    times::{caution, zone},
    words::{Names, guid, labels, language, name, notify, one_of, scores, visible},
};
use crate::{
    diagnostic::{Problem, Warning},
    domain::{ChannelName, Cloud, Complaint, EntraTenantId, Labels, Language, Region, ScoreKind, TenantId},
    microsoft::{
        Account, AppCredential, Hosts,
        budget::{CallLimits, DEFENDER_LIMITS, defender_calls},
    },
    schedule::{Schedule, Zone},
};

/// What a tenant inherits from the top of the main file.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    pub(super) schedule: Option<(String, Zone)>,
    pub(super) timezone: Zone,
    pub(super) language: Language,
    pub(super) scores: Vec<ScoreKind>,
    pub(super) credential: Option<Arc<AppCredential>>,
    /// There is a credential at the top level, but a bad one, which was reported.
    pub(super) credential_written: bool,
    pub(super) endpoints: Endpoints,
}

/// The tenants read so far, and what they share.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    pub(super) by_id: BTreeMap<TenantId, Arc<Tenant>>,
    pub(super) places: HashMap<TenantId, Spot>,
    /// Whether there are tenants of which not even the name could be read.
    pub(super) nameless: bool,
    /// The controls that do not count for some of them.
    pub(super) exclusions: Exclusions,
    /// What is wrong with channels that tenants name and that may not show them.
    pub(super) unshown: Vec<Unshown>,
    channels: Channels,
    entra: HashMap<EntraTenantId, TenantId>,
    labels: Shared<Labels>,
    hosts: Shared<Hosts>,
    apps: Shared<AppCredential>,
    schedules: HashMap<(String, Zone), Result<Arc<Schedule>, Complaint>>,
    scores: HashMap<Vec<ScoreKind>, Arc<[ScoreKind]>>,
    /// Where the shared schedules and scores lie of which it was looked whether Microsoft takes so many calls.
    paces: HashSet<(usize, usize)>,
}

/// A channel may not show the tenant that names it.
#[derive(Debug)]
pub(super) struct Unshown {
    pub(super) channel: ChannelName,
    pub(super) problem: Problem,
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
    /// None yet; they may name these channels.
    pub(super) fn of(channels: Channels) -> Self {
        Self { channels, ..Self::default() }
    }

    /// Whom a maintenance window may name.
    pub(super) fn known(&self) -> Known<'_> {
        let labels = |id| self.by_id.get(id).map(|tenant| &*tenant.labels);
        let tenants = self.places.keys().map(|id| (id, labels(id))).collect();
        Known { tenants, has_nameless: self.nameless, ..Known::default() }
    }

    /// Takes one tenant; with any error in it, it is not taken.
    pub(super) fn take(
        &mut self,
        raw: RawTenant,
        at: &Scope<'_>,
        inherited: &Inherited,
        channels: &Names,
        draft: &mut Draft,
    ) {
        let errors = draft.errors();
        at.only(RawTenant::KEYS, draft);
        let id = draft.require(raw.id, &at.key("id"), "contoso");
        let id = id.and_then(|Word(text)| name(&text, &at.key("id"), TenantId::parse, draft));
        let display = draft.parse(raw.name, &at.key("name"), visible);
        let entra = draft
            .require(raw.tenant_id, &at.key("tenant_id"), "2f1c0a5e-0000-4000-8000-000000000001")
            .and_then(|Word(text)| guid(&text, &at.key("tenant_id"), draft))
            .map(EntraTenantId);
        let cloud = one_of(raw.cloud, &at.key("cloud"), &Cloud::ALL.map(|cloud| (cloud.as_str(), cloud)), draft);
        let region = one_of(raw.region, &at.key("region"), &Region::ALL.map(|region| (region.as_str(), region)), draft);
        check_region(region, cloud, at, draft);
        let language = language(raw.language, &at.key("language"), draft);
        let endpoints = endpoints(raw.endpoints, &at.key("endpoints"), draft);
        let before_credential = draft.errors();
        let credential = self.own_or_shared(raw.credential, &endpoints, at, inherited, draft);
        // Nobody signs in by what is left of a rejected configuration.
        let credential = credential.or_else(|| draft.is_lenient.then(Arc::default));
        let errors = errors + draft.errors() - before_credential;
        let labels = labels(raw.labels, &at.key("labels"), draft);
        let notify = notify(raw.notify, &at.key("notify"), channels, draft);
        let schedule = self.schedule(raw.schedule, raw.timezone, at, inherited, draft);
        let scores = if raw.scores.is_written() {
            scores(raw.scores, &at.key("scores"), draft)
        } else {
            inherited.scores.clone()
        };
        self.exclusions.extend(exclusions::of_tenant(raw.exclude, &at.key("exclude"), id.as_ref(), draft));
        let Some(id) = id else {
            self.nameless = true;
            return;
        };
        self.check_unique(&id, entra, at, draft);
        if draft.is_lenient && draft.errors() > errors {
            return;
        }
        self.note_unshown(&id, &labels, &notify, at);
        let Some(entra) = entra else { return };
        check_app(entra, credential.as_deref(), at, draft);
        let (Some(app), Some(schedule)) = (credential, schedule) else { return };
        let hosts = self.hosts.share(hosts(cloud.unwrap_or_default(), region, &endpoints, &inherited.endpoints));
        let scores = Arc::clone(self.scores.entry(scores).or_insert_with_key(|scores| scores.as_slice().into()));
        // What is called on this machine is not Microsoft, and has no limits.
        if !hosts.loopback && self.paces.insert((Arc::as_ptr(&schedule).addr(), scores.as_ptr().addr())) {
            check_pace(&id, &schedule, &scores, at, draft);
        }
        let tenant = Tenant {
            name: display.unwrap_or_else(|| id.as_str().to_owned()).into(),
            labels: self.labels.share(labels),
            account: Account { tenant: id.clone(), entra, hosts, app },
            schedule,
            scores,
            language: language.unwrap_or(inherited.language),
            notify,
            id: id.clone(),
        };
        self.by_id.insert(id, Arc::new(tenant));
    }

    fn check_unique(&mut self, id: &TenantId, entra: Option<EntraTenantId>, at: &Scope<'_>, draft: &mut Draft) {
        let place = at.key("id").spot();
        if let Some(first) = self.places.get(id) {
            let what = format!("tenant `{id}` is defined a second time");
            let instead = format!("give each tenant an `id` of its own; the other is at {}", first.place());
            draft.error(&at.key("id"), what, instead);
            return;
        }
        self.places.insert(id.clone(), place);
        if let Some(first) = entra.and_then(|entra| self.entra.insert(entra, id.clone())) {
            let place = self.places.get(&first).map(|spot| format!(", at {}", spot.place())).unwrap_or_default();
            let what = format!("this `tenant_id` is also the one of tenant `{first}`");
            let instead = "copy the directory (tenant) ID from the overview page of each tenant in Entra";
            draft.error(&at.key("tenant_id"), what, format!("{instead}; the other is `{first}`{place}"));
        }
    }

    /// Notes the channels that the tenant names and that may not show it.
    fn note_unshown(&mut self, id: &TenantId, labels: &Labels, notify: &[ChannelName], at: &Scope<'_>) {
        let named = notify.iter().filter_map(|name| self.channels.get(name));
        let here = at.key("notify");
        let unshown = named.filter(|channel| !channel.audience.admits(id, labels)).map(|channel| {
            let what = format!("channel `{}` may not show tenant `{id}`", channel.name);
            let instead = "name another channel, or widen that channel's `tenants:` or `labels:`";
            Unshown { channel: channel.name.clone(), problem: Problem::error(here.place(), here.path(), what, instead) }
        });
        self.unshown.extend(unshown);
    }

    /// Reads a credential; equal ones are shared.
    pub(super) fn credential(
        &mut self,
        raw: Field<OneOrMany<RawCredential>>,
        at: &Scope<'_>,
        draft: &mut Draft,
    ) -> Option<Arc<AppCredential>> {
        credential(raw, at, draft).map(|app| self.apps.share(app))
    }

    /// The tenant's own credential, or the one that all tenants share.
    fn own_or_shared(
        &mut self,
        raw: Field<OneOrMany<RawCredential>>,
        endpoints: &Endpoints,
        at: &Scope<'_>,
        inherited: &Inherited,
        draft: &mut Draft,
    ) -> Option<Arc<AppCredential>> {
        if raw.is_written() {
            let own = self.credential(raw, &at.key("credential"), draft);
            // Written once more, it is the shared one all the same.
            let is_shared = own.iter().zip(&inherited.credential).any(|(own, shared)| own.shares_with(shared));
            if is_shared {
                check_own_endpoints(endpoints, inherited, &at.key("endpoints"), draft);
            }
            return own;
        }
        if !inherited.credential_written {
            draft.missing(
                &at.key("credential"),
                "this tenant has no `credential`",
                "write `credential: { client_id: …, secret: { file: … } }` here, or once at the top of the main file",
            );
        }
        check_own_endpoints(endpoints, inherited, &at.key("endpoints"), draft);
        inherited.credential.clone()
    }

    fn schedule(
        &mut self,
        schedule: Field<Word>,
        timezone: Field<Word>,
        at: &Scope<'_>,
        inherited: &Inherited,
        draft: &mut Draft,
    ) -> Option<Arc<Schedule>> {
        let zone = zone(timezone, &at.key("timezone"), draft).unwrap_or_else(|| inherited.timezone.clone());
        let here = at.key("schedule");
        let written = schedule.is_written();
        let expression = draft.take(schedule, &here).map(|Word(text)| text);
        if written && expression.is_none() {
            return None;
        }
        let expression = expression.or_else(|| inherited.schedule.as_ref().map(|(text, _)| text.clone()))?;
        let read = |(text, zone): &(String, Zone)| Schedule::parse(text, zone.clone()).map(Arc::new);
        match self.schedules.entry((expression, zone)).or_insert_with_key(read) {
            Ok(schedule) => {
                if written {
                    caution(schedule.expression(), &here, draft);
                }
                Some(Arc::clone(schedule))
            }
            Err(Complaint { what, instead }) => {
                // A bad one at the top level was reported there.
                if written {
                    draft.error(&here, what.as_str(), instead.as_str());
                }
                None
            }
        }
    }
}

/// Refuses a tenant that would be sent the shared app's secret and tokens at an address that only its own file names.
fn check_own_endpoints(own: &Endpoints, inherited: &Inherited, at: &Scope<'_>, draft: &mut Draft) {
    if !inherited.credential_written {
        return;
    }
    for key in own.differing(&inherited.endpoints) {
        let what = format!(
            "the secret or a token of the app that all tenants share would be sent to this tenant's own `{key}`"
        );
        let instead = "write `credential: { client_id: …, secret: { file: … } }` for this tenant, or set `endpoints:` at the \
                       top of the main file";
        draft.error(&at.key(key), what, instead);
    }
}

/// Complains of an app that has the id of the directory: one of the two was pasted twice.
fn check_app(entra: EntraTenantId, app: Option<&AppCredential>, at: &Scope<'_>, draft: &mut Draft) {
    if app.is_some_and(|app| app.client_id == entra.0) {
        let what = "this is also the `client_id` of the tenant's app, and no app has the ID of a directory";
        let instead = "copy the directory (tenant) ID and the application (client) ID from the overview page of the app \
                       registration";
        draft.error(&at.key("tenant_id"), what, instead);
    }
}

/// Warns of a region in a cloud that has none.
fn check_region(region: Option<Region>, cloud: Option<Cloud>, at: &Scope<'_>, draft: &mut Draft) {
    if let (Some(region), Some(cloud)) = (region, cloud.filter(|cloud| *cloud != Cloud::Commercial)) {
        let region = region.as_str();
        let what =
            format!("`region: {region}` has no effect in the cloud `{cloud}`: only the commercial cloud has regions");
        draft.warning(Warning::RegionWithoutEffect, &at.key("region"), what, "delete `region`");
    }
}

/// Warns about a schedule that makes more calls than Microsoft allows. Reported for the first tenant that has it.
fn check_pace(id: &TenantId, schedule: &Schedule, scores: &[ScoreKind], at: &Scope<'_>, draft: &mut Draft) {
    let (calls, CallLimits { minute, hour }) = (defender_calls(scores), DEFENDER_LIMITS);
    if calls == 0 {
        return;
    }
    let checks = |most: u32| usize::try_from(most / calls).unwrap_or(usize::MAX);
    let (a_minute, an_hour) = schedule.busiest(checks(hour).saturating_add(1));
    if a_minute <= checks(minute) && an_hour <= checks(hour) {
        return;
    }
    let what = format!(
        "tenant `{id}` makes {calls} calls of Defender's at each check, and by this schedule more than Microsoft takes: {minute} \
         a minute and {hour} an hour"
    );
    let instead = "check less often, like `0 */15 * * * *`: a call above the limit is not made, and its score counts as throttled";
    draft.warning(Warning::ScheduleExceedsLimits, &at.key("schedule"), what, instead);
}
