//! The whole configuration: main file, tenants, rules, channels, and what they promise each other.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use super::{
    Config, Loaded, Watched,
    channel::{channel, whole},
    endpoints::endpoints,
    excerpt,
    fences::{self, Channels},
    field::Field,
    files::{self, Source},
    gather::{read_rules, read_tenants},
    import::Pending,
    lint::{Whole, lint},
    maintenance::maintenance,
    matchers::Known,
    raw::{RawChannel, RawMain},
    receivers,
    scope::{Problems, Scope},
    secret_stores,
    settings::{flapping, fleet, listen, location, operator, public_url, templates},
    tenants::{Inherited, Tenants},
    trial::SecretUses,
    words::{Names, schedule, scores, zone},
};
use crate::{
    diagnostic::{Place, Problem},
    domain::{ChannelName, ScoreKind, parse_duration},
    schedule::Zone,
    zones::{self, Zones},
};

/// How long samples are kept by default, in days.
const RETENTION_DAYS: u32 = 400;

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

/// The same, with the system's time zone data from that folder.
pub(super) fn load_from(file: &Path, pending: Pending, zones: &Path) -> Loaded {
    let mut problems = Problems { pending, zones: Zones::newer(zones), ..Problems::default() };
    problems.watched.file(file);
    let source = if file.exists() || problems.pending.text(file).is_some() {
        files::read(file, &mut problems)
    } else {
        let place = Place { file: file.to_owned(), line: 1, column: 1 };
        let instead = "create it, or name another file with `--config FILE` or `SCOREWATCH_CONFIG`";
        problems.list.push(Problem::error(place, "", "there is no such file", instead));
        None
    };
    let config = source.and_then(|source| validate(&source, &mut problems));
    problems.note_zones();
    problems.settle();
    for problem in &problems.list {
        problems.watched.note(format!("{problem:?}").as_bytes());
    }
    let watched = problems.watched.clone();
    let secrets: SecretUses = std::mem::take(&mut problems.secrets).into();
    let config = config.filter(|_| !problems.any_error());
    let config = config.map(|config| Config { watched, secrets: Arc::clone(&secrets), ..config });
    let excerpts = excerpt::of(&problems.list);
    let Problems { list, watched, zones, world, allowed, channels, .. } = problems;
    let channels = channels.into();
    Loaded { config, problems: list, excerpts, secrets, channels, watched, zones, world, allowed }
}

fn validate(source: &Source, problems: &mut Problems) -> Option<Config> {
    let top = source.scope();
    let mut raw = match RawMain::deserialize(&source.value) {
        Ok(raw) if !source.is_list() => raw,
        _ => {
            problems.error(&top, "expected a mapping", "write `store: …`, `tenants: …`, `channels: …` at the top");
            return None;
        }
    };
    top.only(RawMain::KEYS, problems);
    // Whatever holds a secret may name a store.
    secret_stores::read(std::mem::take(&mut raw.secret_stores), &top.key("secret_stores"), problems);
    let here = top.key("channels");
    let is_absent = !raw.channels.is_written() && !problems.is_misspelt(&here);
    let written = problems.take(std::mem::take(&mut raw.channels), &here);
    problems.channels_unread = written.is_none() && !is_absent;
    let written = written.unwrap_or_default();
    let names: Names = written.keys().map(|name| (name.clone(), ChannelName::parse(name).ok())).collect();
    let timezone = zone(std::mem::take(&mut raw.timezone), &top.key("timezone"), problems).unwrap_or_default();
    let channels = read_channels(written, &timezone, &here, problems);
    let mut tenants = Tenants::of(channels.clone());
    let inherited = inherit(&mut raw, &timezone, &mut tenants, &top, problems);
    read_tenants(std::mem::take(&mut raw.tenants), &top.key("tenants"), &inherited, &names, &mut tenants, problems);
    tenants.nameless |= problems.is_misspelt(&top.key("tenants"));
    let errors = problems.errors();
    let limit = flapping(std::mem::take(&mut raw.flapping), &top.key("flapping"), problems);
    let rules = read_rules(std::mem::take(&mut raw.rules), &top.key("rules"), &names, limit, problems);
    let lacks_rules = problems.errors() > errors || problems.is_misspelt(&top.key("rules"));
    fences::check(&rules, &tenants, &channels, problems);
    fences::check_known(&here, &tenants, &channels, problems);
    problems.channels = receivers::placed(&here, &channels);
    problems.list.extend(receivers::problems_in_the_open(&problems.channels));
    let operator = operator(raw.operator, &top.key("operator"), &names, &channels, problems);
    let templates = templates(raw.templates, &top.key("templates"), &channels, &here, problems);
    // Most have no window, and many tenants are not listed for nothing.
    let mut known = Known::default();
    if raw.maintenance.is_written() {
        let rules = rules.iter().map(|(rule, _)| &rule.name).collect();
        known = Known { rules, lacks_rules, ..tenants.known() };
    }
    let maintenance = maintenance(raw.maintenance, &top.key("maintenance"), &known, &timezone, problems);
    let spread = problems.parse(raw.spread, &top.key("spread"), parse_duration);
    let spread = spread.unwrap_or(Duration::from_mins(10));
    let all = Whole { rules: &rules, tenants: &tenants, channels: &channels, operator: &operator, spread };
    lint(&all, &top, problems);
    let concurrency = problems.parse(raw.concurrency, &top.key("concurrency"), whole);
    let retention = Duration::from_hours(24) * RETENTION_DAYS;
    let store = problems.parse(raw.store, &top.key("store"), |text| location(text, top.folder()));
    problems.world.store = store.clone().map(|store| (top.key("store").place(), store));
    Some(Config {
        store: store.or_else(|| location("sqlite://data/scorewatch.db", top.folder()).ok())?,
        listen: listen(raw.listen, &top.key("listen"), problems),
        public_url: public_url(raw.public_url, &top.key("public_url"), problems),
        spread,
        timeout: problems.duration(raw.timeout, &top.key("timeout"), Duration::from_secs(30)),
        concurrency: concurrency.unwrap_or(256),
        retention: problems.duration(raw.retention, &top.key("retention"), retention),
        fleet: fleet(raw.fleet, &top.key("fleet"), spread, problems),
        maintenance,
        tenants: tenants.by_id,
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        channels,
        templates: templates?,
        operator,
        secret_stores: problems.stores.good.clone(),
        secrets: SecretUses::default(),
        watched: Watched::default(),
    })
}

fn inherit(
    raw: &mut RawMain,
    timezone: &Zone,
    tenants: &mut Tenants,
    top: &Scope<'_>,
    problems: &mut Problems,
) -> Inherited {
    let expression = if raw.schedule.is_written() {
        schedule(std::mem::take(&mut raw.schedule), &top.key("schedule"), timezone, problems)
            .map(|read| read.expression().to_owned())
    } else {
        Some("0 */15 * * * *".to_owned())
    };
    let raw_scores = std::mem::take(&mut raw.scores);
    let scores = if raw_scores.is_written() {
        scores(raw_scores, &top.key("scores"), problems)
    } else {
        vec![ScoreKind::ALL[0]]
    };
    let here = top.key("credential");
    let credential_written = raw.credential.is_written() || problems.is_misspelt(&here);
    Inherited {
        schedule: expression.map(|text| (text, timezone.clone())),
        timezone: timezone.clone(),
        scores,
        credential: tenants.credential(std::mem::take(&mut raw.credential), &here, problems),
        credential_written,
        endpoints: endpoints(std::mem::take(&mut raw.endpoints), &top.key("endpoints"), problems),
    }
}

fn read_channels(
    written: BTreeMap<String, Field<RawChannel>>,
    timezone: &Zone,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Channels {
    let mut channels = Channels::new();
    for (name, field) in written {
        let here = at.key(&name);
        if let Some(settings) =
            problems.take(field, &here).and_then(|raw| channel(&name, raw, timezone, &here, problems))
        {
            let settings = Arc::new(settings);
            let key = here.key(settings.kind.address_key());
            problems.world.channels.push((key.place(), key.path(), Arc::clone(&settings)));
            channels.insert(settings.name.clone(), settings);
        }
    }
    channels
}
