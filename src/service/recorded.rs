//! Records in the audit log which configuration is in force: at the start, and after each reload what it changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    path::Path,
};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use crate::{
    config::{Config, Outline, Tenant, access::AccessSettings, reload::Rejected},
    domain::Timestamp,
    store::{Audit, EntryFilter, NewEntry, hex},
};

/// Names of each kind that are written out; of more, the number is.
const NAMES_MAX: usize = 50;
/// Keys of the files that are written out, each with what it said and what it says; and tenants.
const KEYS_MAX: usize = 100;
/// The most characters of each text that are recorded.
const TEXT_MAX: usize = 200;
/// An hour of UTC.
const NANOS_PER_HOUR: i64 = 3_600_000_000_000;
/// Bytes of the digest by which two longer texts differ that begin alike.
const DIGEST_BYTES: usize = 8;

/// Records the configuration with which the service starts.
pub(super) async fn start(store: &dyn Audit, config: &Config, now: Timestamp) {
    record(store, "service.start", None, in_force(config, Map::new()), now).await;
}

/// Logs the newest entry of the audit log, which shows later, wherever logs are kept, that nothing was cut off; and warns if the database no
/// longer refuses to change entries.
pub(super) async fn log_head(store: &dyn Audit) {
    match store.missing_guards().await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => {
            warn!(?missing, "the database no longer refuses to change the audit log: triggers were removed or changed");
        }
        Err(error) => error!(%error, "the triggers of the audit log could not be looked up"),
    }
    let newest = EntryFilter { limit: Some(1), ..EntryFilter::default() };
    match store.entries(&newest).await {
        Ok(entries) => {
            let head = entries.first().map(|entry| format!("{}:{}", entry.seq, entry.hash));
            info!(head, "the audit log's newest entry");
        }
        Err(error) => error!(%error, "the audit log's newest entry could not be read"),
    }
}

/// Whether this hour is the one in which the newest entry is logged again.
pub(super) fn is_hour_of_head(now: Timestamp) -> bool {
    now.as_nanos().div_euclid(NANOS_PER_HOUR).rem_euclid(24) == 0
}

/// Records a configuration that took effect, and what it changed.
pub(super) async fn reload(store: &dyn Audit, before: &Config, config: &Config, now: Timestamp) {
    let was = json!({ "fingerprint": before.watched.fingerprint() });
    record(store, "configuration.reload", Some(was), in_force(config, changes(before, config)), now).await;
}

/// Records a changed configuration that was rejected: the one before stays in force.
pub(super) async fn rejected(store: &dyn Audit, rejection: &Rejected, now: Timestamp) {
    let after = json!({ "errors": rejection.errors, "first": rejection.first });
    record(store, "configuration.reject", None, after, now).await;
}

/// A log that can't be written does not keep a configuration from taking effect: the service's own log says so.
async fn record(store: &dyn Audit, action: &'static str, before: Option<Value>, after: Value, now: Timestamp) {
    let entry = NewEntry::by_service(action, None, now).before(before).after(after);
    if let Err(error) = store.record(entry).await {
        error!(action, %error, "this could not be recorded in the audit log");
    }
}

fn in_force(config: &Config, mut changes: Map<String, Value>) -> Value {
    changes.insert("fingerprint".to_owned(), Value::from(config.watched.fingerprint()));
    changes.insert("version".to_owned(), Value::from(env!("CARGO_PKG_VERSION")));
    Value::Object(changes)
}

/// Which tenants, rules and channels came, went and changed, and what the files said and say, key by key, tenants aside.
fn changes(before: &Config, after: &Config) -> Map<String, Value> {
    let tenants = |config: &Config| {
        named(config.tenants.iter().map(|(id, tenant)| {
            let excluded: Vec<_> = config.exclusions.iter().filter(|one| one.selects(id, &tenant.labels)).collect();
            (id.to_string(), format!("{tenant:?} {excluded:?}"))
        }))
    };
    let channels = |config: &Config| {
        named(config.channels.iter().map(|(name, channel)| (name.to_string(), format!("{channel:?}"))))
    };
    let rules = |config: &Config| named(config.rules.iter().map(|rule| (rule.name.to_string(), format!("{rule:?}"))));
    let mut changes = Map::new();
    let kinds = [
        ("tenants", tenants(before), tenants(after)),
        ("rules", rules(before), rules(after)),
        ("channels", channels(before), channels(after)),
    ];
    for (kind, was, is) in kinds {
        let mut note = |what: &str, names: Vec<&String>| {
            if !names.is_empty() {
                let list = if names.len() > NAMES_MAX { json!(names.len()) } else { json!(names) };
                changes.insert(format!("{kind}_{what}"), list);
            }
        };
        note("added", is.keys().filter(|name| !was.contains_key(*name)).collect());
        note("removed", was.keys().filter(|name| !is.contains_key(*name)).collect());
        let has_changed = |(name, text): &(&String, &String)| was.get(*name).is_some_and(|before| before != *text);
        note("changed", is.iter().filter(has_changed).map(|(name, _)| name).collect());
    }
    let of_tenants = regrouped(before, after);
    if of_tenants.len() > KEYS_MAX {
        changes.insert("tenant_keys_more".to_owned(), json!(of_tenants.len() - KEYS_MAX));
    }
    if !of_tenants.is_empty() {
        changes.insert("tenant_keys".to_owned(), Value::Object(of_tenants.into_iter().take(KEYS_MAX).collect()));
    }
    let keys = rewritten(&before.written, &after.written);
    if keys.len() > KEYS_MAX {
        changes.insert("keys_more".to_owned(), json!(keys.len() - KEYS_MAX));
    }
    if !keys.is_empty() {
        changes.insert("keys".to_owned(), Value::Object(keys.into_iter().take(KEYS_MAX).collect()));
    }
    changes
}

/// What decides who sees a tenant and who is notified of it, where it is no longer the same: of each tenant its labels, its channels and
/// whose it is, before and after. Its name is a key, so that whoever erases the tenant takes all of it out.
fn regrouped(before: &Config, after: &Config) -> Map<String, Value> {
    let mut regrouped = Map::new();
    for (id, is) in &after.tenants {
        let Some(was) = before.tenants.get(id) else { continue };
        let mut keys = Map::new();
        let mut note = |key: &str, was: String, is: String| {
            if was != is {
                keys.insert(key.to_owned(), json!([short(&was), short(&is)]));
            }
        };
        let labels = |of: &Tenant| listed(of.labels.iter().map(|(key, value)| format!("{key}={value}")));
        note("labels", labels(was), labels(is));
        note("notify", listed(was.notify.iter()), listed(is.notify.iter()));
        note("tenant_id", was.account.entra.to_string(), is.account.entra.to_string());
        if !keys.is_empty() {
            regrouped.insert(id.to_string(), Value::Object(keys));
        }
    }
    regrouped
}

fn listed(things: impl Iterator<Item = impl Display>) -> String {
    things.map(|thing| thing.to_string()).collect::<Vec<_>>().join(", ")
}

/// The keys that say something else than before, with both; `null`: it was not or is not there.
fn rewritten(before: &Outline, after: &Outline) -> Map<String, Value> {
    let (was, is) = (texts(before), texts(after));
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key)).collect();
    let short = |text: Option<&&String>| text.map(|text| short(text));
    keys.into_iter().map(|key| (key.clone(), json!([short(was.get(key)), short(is.get(key))]))).collect()
}

/// A text, or the beginning of a long one with its length and digest, so that what differs never looks the same.
fn short(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(TEXT_MAX) else { return text.to_owned() };
    let digest = hex(&Sha256::digest(text)[..DIGEST_BYTES]);
    format!("{}… ({} characters, SHA-256 {digest}…)", &text[..end], text.chars().count())
}

/// What the files say of the service, the rules and the channels, by the way to each text.
fn texts(written: &Outline) -> BTreeMap<String, &String> {
    let mut texts: BTreeMap<_, _> = written.service.iter().map(|(key, text)| (key.clone(), text)).collect();
    for (kind, things) in [("rules", &written.rules), ("channels", &written.channels)] {
        for (name, fields) in things {
            texts.extend(fields.iter().map(|(key, text)| (format!("{kind}[{name}].{key}"), text)));
        }
    }
    texts
}

/// What replicas compare: the same as long as their configurations say the same of tenants, rules, channels, of who may see them, and of
/// everything else that decides what is sent. Where a replica listens and where its files are is its own affair.
#[must_use]
pub(super) fn meaning(config: &Config) -> String {
    let Config { public_url, brand, timezone, spread, retention, fleet, maintenance, exclusions, operator, .. } =
        config;
    let AccessSettings { sign_in, oidc, show, .. } = &config.access;
    let folder = in_folder(&config.folder);
    let mut hash = Sha256::new();
    let mut note = |text: String| {
        // Secrets are named by their files, which lie in the same place of another folder.
        let text = folder.as_ref().map_or_else(|| text.clone(), |folder| text.replace(folder, "\""));
        hash.update(format!("{}:{text}", text.len()));
    };
    note(format!(
        "{public_url:?} {brand:?} {timezone:?} {spread:?} {retention:?} {fleet:?} {maintenance:?} {exclusions:?} {operator:?}"
    ));
    note(format!("{sign_in:?} {oidc:?} {show:?}"));
    config.tenants.values().for_each(|tenant| note(format!("{tenant:?}")));
    config.rules.iter().for_each(|rule| note(format!("{rule:?}")));
    config.channels.values().for_each(|channel| note(format!("{channel:?}")));
    hash.update(config.templates.fingerprint());
    let digest: [u8; 32] = hash.finalize().into();
    hex(&digest[..8])
}

/// How paths in a folder begin where they are printed; `None`: those in it are printed as they are written.
#[expect(clippy::unnecessary_debug_formatting, reason = "what is compared is printed this way, too")]
fn in_folder(folder: &Path) -> Option<String> {
    (!folder.as_os_str().is_empty()).then(|| {
        let printed = format!("{folder:?}");
        format!("{}/", printed.trim_end_matches('"').trim_end_matches('/'))
    })
}

fn named(things: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    things.collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::config;

    /// A folder of its own with a configuration.
    fn written(tenants: &str, more: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("tenants")).unwrap();
        write("hook", "https://hooks.slack.com/services/T0/B0/secret");
        write("secret", "of-an-app");
        write(
            "rules.yaml",
            "rules:\n  - { name: low, score: device-secure-score, when: { below: 100 }, notify: [soc] }\n",
        );
        write("tenants/all.yaml", tenants);
        let rest = "store: sqlite://data/s.db\nschedule: \"0 */15 * * * *\"\ntimezone: UTC\nrules: [rules.yaml]\n\
            tenants: [tenants/*.yaml]\nchannels: { soc: { type: slack, url: { file: hook } } }\noperator: { notify: [soc] }\n";
        write("scorewatch.yaml", &format!("{rest}{more}"));
        folder
    }

    fn loaded(folder: &TempDir) -> Config {
        let loaded = config::load(&folder.path().join("scorewatch.yaml"));
        loaded.config.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
    }

    const TENANTS: &str = "- id: contoso\n  tenant_id: 3fa85f64-5717-4562-b3fc-2c963f66afa6\n  credential: { client_id: \
        6d2a0000-0000-4000-8000-000000000002, secret: { file: ../secret } }\n";

    #[test]
    fn a_reload_that_changes_nothing_records_no_change_though_schedules_were_asked() {
        let folder = written(TENANTS, "");
        let before = loaded(&folder);
        let Some(tenant) = before.tenants.values().next() else { panic!("no tenant") };
        assert!(tenant.schedule.next_tick(Timestamp::from_seconds(1_800_000_000)).is_some());
        assert_eq!(Value::Object(changes(&before, &loaded(&folder))), json!({}));
    }

    #[test]
    fn a_reload_records_what_the_labels_the_channels_and_the_entra_id_of_a_tenant_were_and_are() {
        let before = loaded(&written(TENANTS, ""));
        let tenants = TENANTS.replace("3fa85f64", "4fa85f64") + "  labels: { tier: gold, seat: eu }\n  notify: [soc]\n";
        let changes = changes(&before, &loaded(&written(&tenants, "")));
        let keys = &changes["tenant_keys"]["contoso"];
        assert_eq!(keys["labels"], json!(["", "seat=eu, tier=gold"]));
        assert_eq!(keys["notify"], json!(["", "soc"]));
        let [was, is] = ["3fa85f64", "4fa85f64"].map(|begin| format!("{begin}-5717-4562-b3fc-2c963f66afa6"));
        assert_eq!(keys["tenant_id"], json!([was, is]));
        assert_eq!(changes["tenants_changed"], json!(["contoso"]));
    }

    #[test]
    fn of_more_changed_tenants_than_are_written_out_the_number_is_recorded() {
        let many = |label: &str| {
            let one = |number: usize| {
                let tenant =
                    TENANTS.replace("contoso", &format!("t{number}")).replace("3fa85f64", &format!("{number:08}"));
                format!("{tenant}  labels: {{ tier: {label} }}\n")
            };
            (0..KEYS_MAX + 3).map(one).collect::<String>()
        };
        let (before, after) = (loaded(&written(&many("gold"), "")), loaded(&written(&many("silver"), "")));
        let changes = changes(&before, &after);
        assert_eq!(changes["tenant_keys"].as_object().map(Map::len), Some(KEYS_MAX));
        assert_eq!(changes["tenant_keys_more"], json!(3));
        assert_eq!(changes["tenant_keys"]["t0"], json!({ "labels": ["tier=gold", "tier=silver"] }));
    }

    #[test]
    fn replicas_agree_wherever_their_files_are() {
        let (here, there) = (written(TENANTS, ""), written(TENANTS, ""));
        assert_eq!(meaning(&loaded(&here)), meaning(&loaded(&there)));
        for (folder, printed) in
            [("", None), ("/", Some("\"/")), ("/etc/scorewatch", Some("\"/etc/scorewatch/")), ("a b/", Some("\"a b/"))]
        {
            assert_eq!(in_folder(Path::new(folder)).as_deref(), printed, "{folder}");
        }
    }

    #[test]
    fn replicas_differ_in_what_they_send_and_in_who_may_see_it() {
        let meant = |tenants: &str, more: &str| meaning(&loaded(&written(tenants, more)));
        let one = meant(TENANTS, "");
        for (tenants, more) in [
            (TENANTS.replace("contoso", "fabrikam").as_str(), ""),
            (TENANTS.replace("../secret", "../hook").as_str(), ""),
            (TENANTS, "access: { sign_in: always }\n"),
            (TENANTS, "spread: 0s\n"),
        ] {
            assert_ne!(meant(tenants, more), one, "{tenants} {more}");
        }
    }

    #[test]
    fn long_texts_that_begin_alike_do_not_look_the_same_after_a_reload() {
        let long = |end: &str| format!("{}{end}", "ä".repeat(TEXT_MAX));
        let outline = |text: String| {
            let mut outline = Outline::default();
            outline.service.insert("brand.name".to_owned(), text);
            outline
        };
        for (was, is) in [(long("x"), long("y")), (long(""), long("y")), (long("x"), long("xx"))] {
            let written = rewritten(&outline(was.clone()), &outline(is.clone()));
            let both = written["brand.name"].as_array().unwrap();
            assert_ne!(both[0], both[1], "{was} and {is}");
        }
        assert_eq!(short(&long("")), long(""), "what fits stays whole");
        assert!(
            short(&long("x")).starts_with(&format!("{}… (201 characters, SHA-256 ", long(""))),
            "{}",
            short(&long("x"))
        );
        assert!(rewritten(&outline(long("x")), &outline(long("x"))).is_empty());
    }
}
