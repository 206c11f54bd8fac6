//! The largest possible messages fit every receiver, rich and plain, and a digest says how much it leaves out.

use serde_json::Value;

use super::{CHATS, built_in, strings};
use crate::{
    channel::{
        discord::{CONTENT_MAX, EMBEDS_CHARACTERS_MAX},
        email::{self, Letter},
        google_chat, mattermost, slack, teams, templates, webhook,
    },
    notify::{Notification, language::Locale},
    template::{Dialect, plain, sample},
};

fn characters(payload: &Value) -> usize {
    let mut found = Vec::new();
    strings(payload, "", &mut found);
    found.iter().filter(|(key, _)| *key != "type").map(|(_, text)| text.chars().count()).sum()
}

/// The length of every text of a Discord embed that counts, in characters as a strict reader counts them.
fn of_embeds(payload: &Value) -> usize {
    let mut found = Vec::new();
    payload.get("embeds").into_iter().for_each(|embeds| strings(embeds, "", &mut found));
    found.iter().filter(|(key, _)| *key != "url").map(|(_, text)| text.encode_utf16().count()).sum()
}

/// Asserts that the body is within the limits that its receiver publishes.
pub(super) fn assert_fits(dialect: &'static Dialect, body: &[u8]) {
    let payload: Value = serde_json::from_slice(body).unwrap();
    match dialect.name {
        "teams" => assert!(body.len() <= teams::BYTES_MAX),
        "slack" => {
            assert!(characters(&payload) <= slack::CHARACTERS_MAX);
            assert!(payload.get("blocks").and_then(Value::as_array).is_none_or(|blocks| blocks.len() <= 50));
        }
        "discord" => {
            assert!(payload["content"].as_str().unwrap().encode_utf16().count() <= CONTENT_MAX);
            assert!(of_embeds(&payload) <= EMBEDS_CHARACTERS_MAX);
            for embed in payload.get("embeds").and_then(Value::as_array).into_iter().flatten() {
                let length =
                    |key: &str| embed.get(key).and_then(Value::as_str).map_or(0, |text| text.encode_utf16().count());
                assert!(length("title") <= 256 && length("description") <= 4096);
            }
            assert_eq!(payload["allowed_mentions"], serde_json::json!({ "parse": [] }));
        }
        "google-chat" => assert!(body.len() <= google_chat::BYTES_MAX),
        "mattermost" => assert!(characters(&payload) <= mattermost::CHARACTERS_MAX),
        "webhook" | "email" => {}
        other => panic!("state the limits of `{other}` here"),
    }
}

/// How many lines of a digest a message shows, and how many more it says that there are.
fn shown(digest: &Notification, body: &[u8]) -> (usize, usize) {
    let payload: Value = serde_json::from_slice(body).unwrap();
    let mut found = Vec::new();
    strings(&payload, "", &mut found);
    let text = found.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("\n").replace("<br>", "\n");
    let ids: Vec<String> = digest.data.items.iter().map(|item| format!(" · {}", item.notification.short_id)).collect();
    let lines = text.lines().filter(|line| ids.iter().any(|id| line.contains(id))).count();
    let more = text.lines().find_map(|line| line.strip_prefix("… and ")?.split_once(" more")?.0.parse().ok());
    (lines, more.unwrap_or(0))
}

/// How many lines a digest covers: its items, and what was only counted when it was made.
fn all_lines(digest: &Notification) -> usize {
    let counted = digest.data.digest.iter().flat_map(|facts| &facts.more).map(|more| more.count);
    digest.data.items.len() + counted.sum::<usize>()
}

#[test]
fn the_largest_digest_with_hostile_names_fits_every_receiver_and_says_what_it_leaves_out() {
    let registry = built_in();
    for digest in sample::largest_digests() {
        let name = digest.data.items[0].tenant.as_ref().map(|tenant| tenant.name.chars().take(20).collect::<String>());
        for dialect in CHATS {
            let kind = dialect.name;
            let rich = registry.render(dialect.name, dialect, &digest, &Locale::default()).unwrap();
            assert_fits(dialect, &rich);
            let (lines, more) = shown(&digest, &rich);
            assert_eq!(lines + more, all_lines(&digest), "{kind} {name:?}");
            assert!(lines >= 10, "{kind} {name:?}: {lines}");
            let plain = plain(dialect, &digest, &Locale::default()).unwrap();
            assert_fits(dialect, &plain);
            assert!(dialect.name != teams::DIALECT.name || plain.len() <= teams::PLAIN_BYTES_MAX);
            let (lines, more) = shown(&digest, &plain);
            assert_eq!(lines + more, all_lines(&digest), "{kind} {name:?}");
            assert!(lines >= 3, "{kind} {name:?}: {lines}");
        }
    }
}

#[test]
fn a_full_digest_with_ordinary_names_is_shown_whole() {
    let registry = built_in();
    let digest = sample::largest_digests().pop().unwrap();
    for (dialect, lines) in CHATS.into_iter().zip([50; 5]) {
        let rich = registry.render(dialect.name, dialect, &digest, &Locale::default()).unwrap();
        assert_eq!(shown(&digest, &rich), (lines, all_lines(&digest) - lines), "{}", dialect.name);
    }
}

/// The longest lists that a report can have, of every score and with one name everywhere.
fn largest_report(name: &str) -> Notification {
    let mut largest = sample::notification(crate::notify::NotificationType::Report, name);
    let report = largest.data.report.as_mut().unwrap();
    report.tenants = (0..10_000).map(|number| format!("tenant-{number}")).collect();
    report.alerts.oldest = report.alerts.oldest.iter().cycle().take(5).cloned().collect();
    report.blind.tenants = report.blind.tenants.iter().cycle().take(5).cloned().collect();
    let mut moved = report.scores[2].better[0].clone();
    moved.subject = Some(name.to_owned());
    for score in &mut report.scores {
        (score.worse, score.better) = (vec![moved.clone(); 5], vec![moved.clone(); 5]);
        (score.worse_count, score.better_count) = (9_999, 9_999);
    }
    report.scores = report.scores.iter().cycle().take(5).cloned().collect();
    largest
}

#[test]
fn the_largest_report_with_hostile_names_fits_every_receiver_and_says_what_it_leaves_out() {
    let registry = built_in();
    for name in sample::hostile_names().iter().map(String::as_str).chain(["Contoso Ltd"]) {
        let report = largest_report(name);
        for dialect in CHATS {
            let kind = dialect.name;
            for body in [
                registry.render(dialect.name, dialect, &report, &Locale::default()).unwrap(),
                plain(dialect, &report, &Locale::default()).unwrap(),
            ] {
                assert_fits(dialect, &body);
                let text = String::from_utf8(body).unwrap();
                assert!(text.contains("Firing alerts: 1 critical, 3 info"), "{kind}: {text}");
                assert!(text.contains("… and ") && text.contains(" more"), "{kind}: {text}");
            }
        }
    }
}

#[test]
fn an_own_template_that_hides_what_a_report_says_is_not_used_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slack.hbs"), "{\"text\": \"{{words.headline}}\"}").unwrap();
    let items = "{\"text\": \"own{{#each data.items}}\\n{{type}}{{/each}}\"}";
    std::fs::write(folder.path().join("items.hbs"), items).unwrap();
    std::fs::write(folder.path().join("mine.hbs"), "{\"text\": \"own{{#each words.lines}}\\n{{this}}{{/each}}\"}")
        .unwrap();
    let registry = templates(Some(folder.path())).unwrap();
    let report = sample::notification(crate::notify::NotificationType::Report, "Contoso Ltd");
    for (name, is_used) in [("slack", false), ("items", false), ("mine", true)] {
        let text =
            String::from_utf8(registry.render(name, &slack::DIALECT, &report, &Locale::default()).unwrap()).unwrap();
        assert!(text.contains("Firing alerts") && text.contains("fell from 400 to 340"), "{text}");
        assert_eq!(text.contains("own"), is_used, "{name}: {text}");
    }
}

#[test]
fn every_sample_fits_as_plain_text() {
    for sample in sample::all() {
        for dialect in CHATS {
            let body = plain(dialect, &sample, &Locale::default()).unwrap();
            assert_fits(dialect, &body);
            assert!(dialect.name != teams::DIALECT.name || body.len() <= teams::PLAIN_BYTES_MAX);
        }
        let whole: Notification =
            serde_json::from_slice(&plain(&webhook::DIALECT, &sample, &Locale::default()).unwrap()).unwrap();
        assert_eq!(whole, sample);
        let letter: Letter =
            serde_json::from_slice(&plain(&email::DIALECT, &sample, &Locale::default()).unwrap()).unwrap();
        assert!(letter.html.is_none() && letter.text.contains(&sample.data.notification.short_id.to_string()));
    }
}

#[test]
fn an_own_template_that_hides_what_a_digest_says_is_not_used_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slack.hbs"), "{\"text\": \"{{words.headline}}\"}").unwrap();
    std::fs::write(folder.path().join("mine.hbs"), "{\"text\": \"own{{> rest}}\"}").unwrap();
    std::fs::write(folder.path().join("rest.hbs"), "{{#each words.lines}}\\n{{this}}{{/each}}").unwrap();
    let registry = templates(Some(folder.path())).unwrap();
    let digest = sample::notification(crate::notify::NotificationType::Digest, "Contoso Ltd");
    let text =
        |name| String::from_utf8(registry.render(name, &slack::DIALECT, &digest, &Locale::default()).unwrap()).unwrap();
    assert!(text("slack").contains("fell from 400 to 340"));
    assert!(text("mine").contains("own") && text("mine").contains("fell from 400 to 340"));
}
