//! The whole configuration: main file, tenants, rules, channels, and what they promise each other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;

use super::{
    Config, Loaded, Operator, StoreLocation,
    channels::{channel, whole},
    field::{Field, Word},
    files::{self, Source},
    raw::{RawChannel, RawFleet, RawMain, RawOperator, RawRules, RawTenant, RawTenantEntry},
    rules::{rule, share},
    scope::{Problems, Scope},
    tenants::{DAY, Inherited, POLLED, Tenants, endpoints, notify, scores, zone},
};
use crate::{
    channel::ChannelSettings,
    diagnostic::Place,
    domain::{ChannelName, Labels, TenantId, parse_duration},
    rule::Rule,
    schedule::Schedule,
    template::Registry,
};

/// Most tenants that a problem of a fence names.
const NAMED_MAX: usize = 3;

type Channels = BTreeMap<ChannelName, Arc<ChannelSettings>>;
type Rules = Vec<(Arc<Rule>, Place)>;

/// Reads and validates a configuration file and all that it names. Every problem is reported, not only the first.
#[must_use]
pub fn load(file: &Path) -> Loaded {
    let mut problems = Problems::default();
    let config = files::read(file, &mut problems).and_then(|source| validate(&source, &mut problems));
    problems.0.sort();
    problems.0.dedup();
    let config = config.filter(|_| !problems.any_error());
    Loaded { config, problems: problems.0 }
}

fn validate(source: &Source, problems: &mut Problems) -> Option<Config> {
    let top = source.scope();
    let mut raw = match RawMain::deserialize(source.value.clone()) {
        Ok(raw) if !source.is_list() => raw,
        _ => {
            problems.error(&top, "the file is no mapping", "write `store: …`, `tenants: …`, `channels: …` at the top");
            return None;
        }
    };
    top.only(RawMain::KEYS, problems);
    let mut sources = vec![source.path.clone()];
    let written = problems.take(std::mem::take(&mut raw.channels), &top.key("channels")).unwrap_or_default();
    let names: HashSet<&str> = written.keys().map(String::as_str).collect();
    let channels = read_channels(written.clone(), &top.key("channels"), problems);
    let mut tenants = Tenants::default();
    let inherited = inherit(&mut raw, &mut tenants, &top, problems);
    read_tenants(
        std::mem::take(&mut raw.tenants),
        &top.key("tenants"),
        &inherited,
        &names,
        &mut tenants,
        &mut sources,
        problems,
    );
    let rules = read_rules(std::mem::take(&mut raw.rules), &top.key("rules"), &names, &mut sources, problems);
    let operator = operator(std::mem::take(&mut raw.operator), &top.key("operator"), &names, &channels, problems);
    check_fences(&rules, &tenants, &channels, problems);
    let templates =
        templates(std::mem::take(&mut raw.templates), &top.key("templates"), &channels, &top, &mut sources, problems);
    fleet(std::mem::take(&mut raw.fleet), &top.key("fleet"), problems);
    let store = problems.require(raw.store, &top.key("store"), "sqlite://data/scorewatch.db");
    let store = problems
        .parse(store.map_or(Field::Absent, Field::Good), &top.key("store"), |text| location(text, top.folder()));
    let listen = problems.parse(raw.listen, &top.key("listen"), |text| {
        text.parse().map_err(|_| "this is no address with a port; write it like `127.0.0.1:8080`".to_owned())
    });
    let public_url = problems.parse(raw.public_url, &top.key("public_url"), |text| match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.password().is_none() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("this is no web address; write it like `https://scores.mssp.example`".to_owned()),
    });
    let spread = problems.parse(raw.spread, &top.key("spread"), parse_duration);
    let concurrency = problems.parse(raw.concurrency, &top.key("concurrency"), whole);
    Some(Config {
        store: store?,
        listen: listen.unwrap_or_else(|| std::net::SocketAddr::from(([127, 0, 0, 1], 8080))),
        public_url,
        spread: spread.unwrap_or(Duration::from_secs(600)),
        timeout: problems.duration(raw.timeout, &top.key("timeout"), Duration::from_secs(30)),
        concurrency: concurrency.unwrap_or(256),
        retention: problems.duration(raw.retention, &top.key("retention"), DAY * 400),
        tenants: tenants.by_id,
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        channels,
        templates: templates?,
        operator,
        sources,
    })
}

fn inherit(raw: &mut RawMain, tenants: &mut Tenants, top: &Scope<'_>, problems: &mut Problems) -> Inherited {
    let timezone = problems.parse(std::mem::take(&mut raw.timezone), &top.key("timezone"), zone).unwrap_or_default();
    let expression = if raw.schedule.is_written() {
        let read = |text: &str| Schedule::parse(text, timezone).map(|_| text.to_owned());
        problems.parse(std::mem::take(&mut raw.schedule), &top.key("schedule"), read)
    } else {
        Some("0 */15 * * * *".to_owned())
    };
    let raw_scores = std::mem::take(&mut raw.scores);
    let scores =
        if raw_scores.is_written() { scores(raw_scores, &top.key("scores"), problems) } else { vec![POLLED[0]] };
    let credential_written = raw.credential.is_written();
    Inherited {
        schedule: expression.map(|text| (text, timezone)),
        timezone,
        scores,
        credential: tenants.credential(std::mem::take(&mut raw.credential), &top.key("credential"), problems),
        credential_written,
        endpoints: endpoints(std::mem::take(&mut raw.endpoints), &top.key("endpoints"), problems),
    }
}

fn read_channels(written: BTreeMap<String, Field<RawChannel>>, at: &Scope<'_>, problems: &mut Problems) -> Channels {
    let mut channels = Channels::new();
    for (name, field) in written {
        let here = at.key(&name);
        if let Some(settings) = problems.take(field, &here).and_then(|raw| channel(&name, raw, &here, problems)) {
            channels.insert(settings.name.clone(), Arc::new(settings));
        }
    }
    channels
}

fn read_tenants(
    raw: Field<Vec<Field<RawTenantEntry>>>,
    at: &Scope<'_>,
    inherited: &Inherited,
    channels: &HashSet<&str>,
    tenants: &mut Tenants,
    sources: &mut Vec<PathBuf>,
    problems: &mut Problems,
) {
    if !raw.is_written() {
        problems.warning(at, "there are no `tenants`", "write `tenants: [tenants/*.yaml]`");
    }
    for (index, entry) in problems.items(raw, at) {
        let here = at.item(index);
        match entry {
            RawTenantEntry::Inline(tenant) => tenants.take(*tenant, &here, inherited, channels, problems),
            RawTenantEntry::File(pattern) => {
                sources.extend(at.folder().join(&pattern).parent().map(Path::to_owned));
                for path in files::find(&pattern, &here, problems) {
                    sources.push(path.clone());
                    let Some(source) = files::read(&path, problems) else { continue };
                    let top = source.scope();
                    let is_list = source.is_list();
                    let entries: Vec<Field<RawTenant>> = if is_list {
                        Vec::deserialize(source.value.clone()).unwrap_or_default()
                    } else {
                        Field::deserialize(source.value.clone()).into_iter().collect()
                    };
                    for (index, entry) in entries.into_iter().enumerate() {
                        let here = if is_list { top.item(index) } else { top };
                        if let Some(tenant) = problems.take(entry, &here) {
                            tenants.take(tenant, &here, inherited, channels, problems);
                        }
                    }
                }
            }
        }
    }
}

fn read_rules(
    raw: Field<Vec<Field<Word>>>,
    at: &Scope<'_>,
    channels: &HashSet<&str>,
    sources: &mut Vec<PathBuf>,
    problems: &mut Problems,
) -> Rules {
    let mut rules = Rules::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    for (index, Word(pattern)) in problems.items(raw, at) {
        sources.extend(at.folder().join(&pattern).parent().map(Path::to_owned));
        for path in files::find(&pattern, &at.item(index), problems) {
            sources.push(path.clone());
            let Some(source) = files::read(&path, problems) else { continue };
            let top = source.scope();
            let Ok(raw) = RawRules::deserialize(source.value.clone()) else {
                problems.error(&top, "the file is no mapping", "write `rules:` at the top, and the rules below it");
                continue;
            };
            top.only(RawRules::KEYS, problems);
            let list = top.key("rules");
            for (index, raw) in problems.items(raw.rules, &list) {
                let here = list.item(index);
                let Some(rule) = rule(raw, &here, channels, problems) else { continue };
                let place = here.key("name").place();
                if let Some(first) = places.insert(rule.name.as_str().to_owned(), place.clone()) {
                    let what = format!("rule `{}` is defined a second time; the other is at {first}", rule.name);
                    problems.error(&here.key("name"), what, "give each rule a name of its own");
                }
                rules.push((Arc::new(rule), place));
            }
        }
    }
    rules
}

fn operator(
    raw: Field<RawOperator>,
    at: &Scope<'_>,
    names: &HashSet<&str>,
    channels: &Channels,
    problems: &mut Problems,
) -> Operator {
    if !raw.is_written() {
        problems.warning(at, "nobody hears when we go blind", "write `operator: { notify: [CHANNEL] }`");
    }
    let raw = problems.take(raw, at).unwrap_or_default();
    at.only(RawOperator::KEYS, problems);
    let here = at.key("notify");
    let notify = notify(raw.notify, &here, names, problems);
    for channel in notify.iter().filter(|name| channels.get(*name).is_some_and(|channel| !channel.fence.is_open())) {
        let what = format!("channel `{channel}` is for some tenants only, and the operator hears of all");
        problems.error(&here, what, "name a channel without `tenants:` and `labels:`");
    }
    Operator {
        notify,
        blind_after: problems.duration(raw.blind_after, &at.key("blind_after"), Duration::from_secs(7200)),
    }
}

/// Refuses what could send one tenant's alert to another's channel. Fences by label are tried once per set of labels.
fn check_fences(rules: &Rules, tenants: &Tenants, channels: &Channels, problems: &mut Problems) {
    let mut by_labels: BTreeMap<&Labels, Vec<&TenantId>> = BTreeMap::new();
    for tenant in tenants.by_id.values() {
        by_labels.entry(&tenant.labels).or_default().push(&tenant.id);
        for channel in tenant.notify.iter().filter_map(|name| channels.get(name)) {
            if !channel.fence.admits(&tenant.id, &tenant.labels)
                && let Some(place) = tenants.places.get(&tenant.id)
            {
                let what = format!(
                    "channel `{}` may not show tenant `{}`, which names it under `notify`",
                    channel.name, tenant.id
                );
                refuse(place, what, problems);
            }
        }
    }
    for (rule, place) in rules {
        let selected: Vec<_> = by_labels.iter().filter(|(labels, _)| rule.tenants.matches(labels)).collect();
        if selected.is_empty() && !tenants.by_id.is_empty() {
            problems.0.push(crate::diagnostic::Problem {
                place: place.clone(),
                key: "tenants".to_owned(),
                gravity: crate::diagnostic::Gravity::Warning,
                what: format!("rule `{}` selects no tenant", rule.name),
                instead: "check its `tenants:` against the tenants' `labels:`".to_owned(),
            });
        }
        for channel in
            rule.notify.iter().filter_map(|name| channels.get(name)).filter(|channel| !channel.fence.is_open())
        {
            let outside =
                selected.iter().flat_map(|(labels, ids)| ids.iter().filter(|id| !channel.fence.admits(id, labels)));
            let named: BTreeSet<String> = outside.take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
            if !named.is_empty() {
                let named = named.into_iter().collect::<Vec<_>>().join(", ");
                let what = format!(
                    "rule `{}` would tell channel `{}` of tenants that it may not show: {named}",
                    rule.name, channel.name
                );
                refuse(place, what, problems);
            }
        }
    }
}

fn refuse(place: &Place, what: String, problems: &mut Problems) {
    problems.0.push(crate::diagnostic::Problem {
        place: place.clone(),
        key: "notify".to_owned(),
        gravity: crate::diagnostic::Gravity::Error,
        what,
        instead: "narrow the tenants, name another channel, or widen the channel's `tenants:` or `labels:`".to_owned(),
    });
}

fn templates(
    raw: Field<Word>,
    at: &Scope<'_>,
    channels: &Channels,
    top: &Scope<'_>,
    sources: &mut Vec<PathBuf>,
    problems: &mut Problems,
) -> Option<Arc<Registry>> {
    let folder = problems.take(raw, at).map(|Word(folder)| at.folder().join(folder));
    sources.extend(folder.clone());
    let registry = Registry::load(folder.as_deref()).map_err(|found| problems.0.extend(found)).ok()?;
    let list = top.key("channels");
    for (name, channel) in channels {
        if let Some(template) = channel.template.as_ref().filter(|template| !registry.has(template)) {
            let here = list.key(name.as_str());
            problems.error(
                &here.key("template"),
                format!("there is no template `{template}`"),
                "put `NAME.hbs` into the folder of `templates:`",
            );
        }
    }
    Some(Arc::new(registry))
}

/// Validated for the contract; this version does not act on it yet.
fn fleet(raw: Field<RawFleet>, at: &Scope<'_>, problems: &mut Problems) {
    let Some(raw) = problems.take(raw, at) else { return };
    at.only(RawFleet::KEYS, problems);
    problems.parse(raw.hold, &at.key("hold"), parse_duration);
    problems.parse(raw.at_least, &at.key("at_least"), whole);
    problems.parse(raw.share, &at.key("share"), share);
}

fn location(text: &str, folder: &Path) -> Result<StoreLocation, String> {
    match text.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() => Ok(StoreLocation::Sqlite(folder.join(path))),
        _ if text.starts_with("postgres") => {
            Err("this version keeps its store in SQLite only; write `sqlite://data/scorewatch.db`".to_owned())
        }
        _ => Err("this is no store; write `sqlite://data/scorewatch.db`".to_owned()),
    }
}
