//! The whole configuration: main file, tenants, rules, channels, and what they promise each other.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use super::{
    Channels, Config, Findings, Loaded, Outline, StoreLocation, Watched,
    access::{AccessSettings, access},
    audiences,
    channel::{channel, whole},
    database::store,
    draft::Draft,
    endpoints::endpoints,
    excerpt, exclusions,
    field::Field,
    files::{self, Source},
    gather::{read_rules, read_tenants},
    lint::{Whole, lint},
    maintenance::maintenance,
    matchers::Known,
    oidc::Around,
    pending::Pending,
    raw::{RawChannel, RawExclusion, RawMain, RawStore},
    receivers,
    scope::Scope,
    secret_stores,
    settings::{brand, flapping, fleet, listen, metrics, operator, public_url, templates},
    tenants::{Inherited, Tenants},
    times::{schedule, timeout, zone},
    trial::SecretUses,
    words::{Names, language, scores},
};
use crate::{
    diagnostic::{Place, Problem},
    domain::{ChannelName, ScoreKind, parse_duration},
    notify::language::Locale,
    template::Registry,
    zones::{self, Zones},
};

/// How long samples are kept by default.
const RETENTION: Duration = Duration::from_hours(400 * 24);

/// When tenants are checked by default.
const SCHEDULE: &str = "0 */15 * * * *";

/// Reads and validates a configuration file and all that it names. Every problem is reported, not only the first.
#[must_use]
pub fn load(file: &Path) -> Loaded {
    load_with(file, Pending::default())
}

/// The same, as it will be once those files are there.
#[must_use]
pub fn load_with(file: &Path, pending: Pending) -> Loaded {
    load_from(file, pending, &zones::system_folder())
}

/// What can be read of a configuration that is rejected, for whoever needs little of it: rules, tenants and channels with an error are
/// left out, and whatever has a default and can't be read has its default. Nothing may be sent by it. `None`: not even the store is known.
#[must_use]
pub fn load_leniently(file: &Path) -> Option<Config> {
    let mut draft = Draft { is_lenient: true, zones: Zones::newer(&zones::system_folder()), ..Draft::default() };
    let source = files::read(file, &mut draft)?;
    // Of a file that is not valid YAML as a whole, its line may be among those that were left out.
    let is_store_lost = draft.any_error() && source.value.get("store").is_none();
    if is_store_lost { None } else { validate(&source, &mut draft) }
}

/// Reads and validates a configuration with the system's time zone data from that folder.
pub(super) fn load_from(file: &Path, pending: Pending, zones: &Path) -> Loaded {
    let mut draft = Draft { pending, zones: Zones::newer(zones), ..Draft::default() };
    draft.watched.file(file);
    let source = if file.try_exists().unwrap_or(true) || draft.pending.text(file).is_some() {
        files::read(file, &mut draft)
    } else {
        let place = Place { file: file.to_owned(), line: 1, column: 1 };
        let instead =
            "run `scorewatch init` to write one, or name another file with `--config FILE` or `SCOREWATCH_CONFIG`";
        draft.list.push(Problem::error(place, "", "there is no such file", instead));
        None
    };
    let config = source.as_ref().and_then(|source| validate(source, &mut draft));
    draft.note_zones();
    draft.settle();
    for problem in &draft.problems.list {
        draft.watched.note(format!("{problem:?}").as_bytes());
    }
    let watched = draft.watched.clone();
    let secrets: SecretUses = std::mem::take(&mut draft.secrets).into();
    let config = config.filter(|_| !draft.any_error());
    let findings = Arc::new(Findings {
        warnings: draft.problems.list.clone(),
        zone_data: format!("{} ({})", draft.zones.release(), draft.zones.source()),
    });
    let written = source.filter(|_| config.is_some()).map(|source| Arc::new(Outline::without_tenants(&source)));
    let written = written.unwrap_or_default();
    let config = config.map(|config| Config { watched, secrets: Arc::clone(&secrets), findings, written, ..config });
    let excerpts = excerpt::of(&draft.list);
    let Draft { problems, watched, zones, world, allowed, channels, .. } = draft;
    let channels = channels.into();
    Loaded { config, problems: problems.list, excerpts, secrets, channels, watched, zones, world, allowed }
}

fn validate(source: &Source, draft: &mut Draft) -> Option<Config> {
    let top = source.scope();
    let mut raw = read_main(source, &top, draft)?;
    // Whatever holds a secret may name a store.
    secret_stores::read(std::mem::take(&mut raw.secret_stores), &top.key("secret_stores"), draft);
    let here = top.key("channels");
    let is_absent = !raw.channels.is_written() && !draft.is_misspelt(&here);
    let written = draft.take(std::mem::take(&mut raw.channels), &here);
    draft.channels_unread = draft.is_lenient || (written.is_none() && !is_absent);
    let written = written.unwrap_or_default();
    let names: Names = written.keys().map(|name| (name.clone(), ChannelName::parse(name).ok())).collect();
    let locale = locale(&mut raw, &top, draft);
    let (spread, kept) = lasting(&mut raw, &top, draft);
    let channels = read_channels(written, &locale, &here, draft);
    let mut tenants = Tenants::of(channels.clone());
    let inherited = inherit(&mut raw, &locale, &mut tenants, &top, draft);
    read_tenants(std::mem::take(&mut raw.tenants), &top.key("tenants"), &inherited, &names, &mut tenants, draft);
    tenants.nameless |= draft.is_misspelt(&top.key("tenants"));
    let Reached { listen, public_url, access } = reached(&mut raw, &top, &inherited, &tenants, draft);
    let errors = draft.errors();
    let limit = flapping(std::mem::take(&mut raw.flapping), &top.key("flapping"), draft);
    let rules = read_rules(std::mem::take(&mut raw.rules), &top.key("rules"), &names, limit, draft);
    let lacks_rules = draft.errors() > errors || draft.is_misspelt(&top.key("rules"));
    audiences::check(&rules, &tenants, &channels, draft);
    check_channels(&here, &tenants, &channels, draft);
    let operator = operator(raw.operator, &top.key("operator"), &names, &channels, draft);
    let templates = templates(raw.templates, &top.key("templates"), &channels, &here, draft);
    exclude(raw.exclude, &top.key("exclude"), &mut tenants, draft);
    // Most have no window, and many tenants are not listed for nothing.
    let names = || rules.iter().map(|(rule, _)| &rule.name).collect();
    let find = || Known { rules: names(), lacks_rules, ..tenants.known() };
    let known = if raw.maintenance.is_written() { find() } else { Known::default() };
    let maintenance = maintenance(raw.maintenance, &top.key("maintenance"), &known, &locale.zone, draft);
    let shifts = fleet(raw.fleet, &top.key("fleet"), spread, draft);
    let fleet_hold = shifts.hold;
    let all =
        Whole { rules: &rules, tenants: &tenants, channels: &channels, operator: &operator, spread, kept, fleet_hold };
    lint(&all, &maintenance, &top, draft);
    Some(Config {
        folder: here.folder().to_owned(),
        store: located(raw.store, &top, draft)?,
        listen,
        metrics: metrics(raw.metrics, &top.key("metrics"), draft),
        access,
        public_url,
        brand: brand(raw.brand, &top.key("brand"), draft),
        timezone: locale.zone,
        spread,
        timeout: timeout(raw.timeout, &top.key("timeout"), Duration::from_secs(30), draft),
        concurrency: draft.parse(raw.concurrency, &top.key("concurrency"), whole).unwrap_or(256),
        retention: kept,
        fleet: shifts,
        maintenance,
        exclusions: tenants.exclusions.into_iter().map(|written| written.exclusion).collect(),
        tenants: tenants.by_id,
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        channels,
        templates: templates.or_else(|| built_in(draft))?,
        operator,
        secret_stores: draft.stores.good.clone(),
        secrets: SecretUses::default(),
        watched: Watched::default(),
        written: Arc::default(),
        is_partial: draft.is_lenient,
        findings: Arc::default(),
    })
}

/// The main file's keys.
fn read_main(source: &Source, top: &Scope<'_>, draft: &mut Draft) -> Option<RawMain> {
    let raw = RawMain::deserialize(&source.value).ok().filter(|_| !source.is_list());
    match raw {
        Some(_) => top.only(RawMain::KEYS, draft),
        None => draft.error(top, "expected a mapping", "write `store: …`, `tenants: …`, `channels: …` at the top"),
    }
    raw
}

/// Reports what is wrong with several channels together, or with a channel and the tenants.
fn check_channels(at: &Scope<'_>, tenants: &Tenants, channels: &Channels, draft: &mut Draft) {
    audiences::check_known(at, tenants, channels, draft);
    draft.channels = receivers::placed(at, channels);
    draft.problems.list.extend(receivers::problems_in_the_open(&draft.channels));
}

/// Where the store is. In a rejected configuration, its default place counts only if no other was meant.
fn located(raw: Field<RawStore>, top: &Scope<'_>, draft: &mut Draft) -> Option<StoreLocation> {
    let errors = draft.errors();
    let location = store(raw, top, draft);
    let is_known = draft.errors() == errors && !draft.is_misspelt(&top.key("store"));
    location.filter(|_| is_known || !draft.is_lenient)
}

/// The templates of a configuration whose own can't be read.
fn built_in(draft: &Draft) -> Option<Arc<Registry>> {
    if draft.is_lenient { crate::channel::templates(None).ok().map(Arc::new) } else { None }
}

/// Over what time tenants are read, and how long values are kept.
fn lasting(raw: &mut RawMain, top: &Scope<'_>, draft: &mut Draft) -> (Duration, Duration) {
    let spread = draft.parse(std::mem::take(&mut raw.spread), &top.key("spread"), parse_duration);
    let retention = draft.duration(std::mem::take(&mut raw.retention), &top.key("retention"), RETENTION);
    (spread.unwrap_or(Duration::from_mins(10)), retention)
}

/// Under which address people reach us, and who of them gets in.
struct Reached {
    listen: SocketAddr,
    public_url: Option<String>,
    access: AccessSettings,
}

fn reached(raw: &mut RawMain, top: &Scope<'_>, inherited: &Inherited, tenants: &Tenants, draft: &mut Draft) -> Reached {
    let (raw_url, raw_access) = (std::mem::take(&mut raw.public_url), std::mem::take(&mut raw.access));
    let listen = listen(std::mem::take(&mut raw.listen), &top.key("listen"), draft);
    let has_public_url = raw_url.is_written();
    let public_url = public_url(raw_url, &top.key("public_url"), draft);
    let around = Around {
        has_public_url,
        public_url: public_url.as_deref(),
        graph: inherited.endpoints.graph(),
        // Many tenants are not listed for nothing.
        known: if raw_access.is_written() { tenants.known() } else { Known::default() },
    };
    let access = access(raw_access, &top.key("access"), listen, &around, draft);
    Reached { listen, public_url, access }
}

/// Adds what the main file excludes to what tenants exclude for themselves.
fn exclude(raw: Field<Vec<Field<RawExclusion>>>, at: &Scope<'_>, tenants: &mut Tenants, draft: &mut Draft) {
    if raw.is_written() {
        let excluded = exclusions::exclusions(raw, at, &tenants.known(), draft);
        tenants.exclusions.splice(0..0, excluded);
    }
}

/// Language and time zone, for whatever has none of its own.
fn locale(raw: &mut RawMain, top: &Scope<'_>, draft: &mut Draft) -> Locale {
    let zone = zone(std::mem::take(&mut raw.timezone), &top.key("timezone"), draft).unwrap_or_default();
    let language = language(std::mem::take(&mut raw.language), &top.key("language"), draft).unwrap_or_default();
    Locale { language, zone }
}

fn inherit(raw: &mut RawMain, locale: &Locale, tenants: &mut Tenants, top: &Scope<'_>, draft: &mut Draft) -> Inherited {
    let timezone = &locale.zone;
    let expression = if raw.schedule.is_written() {
        schedule(std::mem::take(&mut raw.schedule), &top.key("schedule"), timezone, draft)
            .map(|read| read.expression().to_owned())
            .or_else(|| draft.is_lenient.then(|| SCHEDULE.to_owned()))
    } else {
        Some(SCHEDULE.to_owned())
    };
    let raw_scores = std::mem::take(&mut raw.scores);
    let scores =
        if raw_scores.is_written() { scores(raw_scores, &top.key("scores"), draft) } else { vec![ScoreKind::ALL[0]] };
    let here = top.key("credential");
    let credential_written = raw.credential.is_written() || draft.is_misspelt(&here);
    Inherited {
        schedule: expression.map(|text| (text, timezone.clone())),
        timezone: timezone.clone(),
        language: locale.language,
        scores,
        credential: tenants.credential(std::mem::take(&mut raw.credential), &here, draft),
        credential_written,
        endpoints: endpoints(std::mem::take(&mut raw.endpoints), &top.key("endpoints"), draft),
    }
}

fn read_channels(
    written: BTreeMap<String, Field<RawChannel>>,
    inherited: &Locale,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Channels {
    let mut channels = Channels::new();
    for (name, field) in written {
        let here = at.key(&name);
        let errors = draft.errors();
        if let Some(settings) = draft.take(field, &here).and_then(|raw| channel(&name, raw, inherited, &here, draft)) {
            if draft.is_lenient && draft.errors() > errors {
                continue;
            }
            let settings = Arc::new(settings);
            let key = here.key(settings.kind.address_key());
            draft.world.channels.push((key.place(), key.path(), Arc::clone(&settings)));
            channels.insert(settings.name.clone(), settings);
        }
    }
    channels
}
