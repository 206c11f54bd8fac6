//! What every kind of channel writes: how it looks, and that nothing in a name or a template does harm.

mod endless;
mod language;
mod limits;
mod markup;
mod show;
mod suits;

use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use super::{dialects, discord, email, google_chat, mattermost, slack, teams, templates};
use crate::{
    diagnostic::Problem,
    notify::{NotificationType, language::Locale},
    template::{Dialect, Registry, RenderFailure, plain, sample},
};

/// Every kind of receiver whose messages people read.
const CHATS: [&Dialect; 5] =
    [&teams::DIALECT, &slack::DIALECT, &discord::DIALECT, &google_chat::DIALECT, &mattermost::DIALECT];

fn built_in() -> Registry {
    templates(None).unwrap()
}

fn write(registry: &Registry, dialect: &'static Dialect, kind: NotificationType, name: &str) -> Value {
    let body = registry.render(dialect.name, dialect, &sample::notification(kind, name), &Locale::default()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn payloads_look_as_reviewed() {
    let registry = built_in();
    for dialect in CHATS {
        for kind in sample::TYPES {
            let payload = write(&registry, dialect, kind, "Contoso Ltd");
            insta::assert_json_snapshot!(format!("{}_{}", dialect.name, kind.as_str()), payload);
        }
    }
}

#[test]
fn plain_texts_read_as_reviewed() {
    for dialect in CHATS {
        for kind in [NotificationType::AlertFiring, NotificationType::Digest] {
            let body = plain(dialect, &sample::notification(kind, "Contoso_Ltd"), &Locale::default()).unwrap();
            let payload: Value = serde_json::from_slice(&body).unwrap();
            insta::assert_json_snapshot!(format!("{}_plain_{}", dialect.name, kind.as_str()), payload);
        }
    }
}

#[test]
fn what_a_rule_is_for_and_what_to_do_are_shown_on_every_channel_until_the_alert_is_over() {
    let registry = built_in();
    let about = "A sudden fall: a policy was withdrawn <or> a baseline was changed.";
    let text = "Open Recommendations, sort by impact & look at what changed *since*.";
    for dialect in CHATS.into_iter().chain([&email::DIALECT]) {
        for (runbook, what) in [(sample::RUNBOOK, "link"), (text, "text")] {
            let firing = sample::guided(sample::notification(NotificationType::AlertFiring, "Contoso"), about, runbook);
            let said = |body: Vec<u8>| String::from_utf8(body).unwrap().replace('\\', "");
            let rich = said(registry.render(dialect.name, dialect, &firing, &Locale::default()).unwrap());
            assert!(rich.contains("A sudden fall: a policy was withdrawn"), "{rich}");
            if what == "link" {
                assert!(rich.contains("Open runbook") && rich.contains(sample::RUNBOOK), "{rich}");
            } else {
                assert!(rich.contains("What to do") && rich.contains("sort by impact"), "{rich}");
                let plain = said(plain(dialect, &firing, &Locale::default()).unwrap());
                assert!(plain.contains("What to do: Open Recommendations"), "{plain}");
            }
            let over = sample::guided(sample::notification(NotificationType::AlertResolved, "Contoso"), about, runbook);
            let over = said(registry.render(dialect.name, dialect, &over, &Locale::default()).unwrap());
            assert!(!over.contains("runbook") && !over.contains("What to do") && !over.contains("sudden"), "{over}");
            if dialect.name != email::DIALECT.name {
                let payload: Value = serde_json::from_slice(
                    &registry.render(dialect.name, dialect, &firing, &Locale::default()).unwrap(),
                )
                .unwrap();
                insta::assert_json_snapshot!(format!("{}_guided_{what}", dialect.name), payload);
            }
        }
    }
}

#[test]
fn a_guide_adds_no_mention_and_no_link_of_its_own() {
    let registry = built_in();
    for name in sample::hostile_names() {
        for dialect in CHATS {
            let guided = sample::guided(sample::notification(NotificationType::AlertFiring, "Contoso"), &name, &name);
            let body = registry.render(dialect.name, dialect, &guided, &Locale::default()).unwrap();
            assert_tame(dialect, &serde_json::from_slice(&body).unwrap());
        }
    }
}

/// Loads a folder with these templates and says what is wrong.
fn problems(templates: &[(&str, &str)]) -> Vec<Problem> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in templates {
        fs::write(folder.path().join(format!("{name}.hbs")), text).unwrap();
    }
    super::templates(Some(folder.path())).err().unwrap_or_default()
}

#[test]
fn a_template_that_could_do_harm_is_refused_with_its_place() {
    for (templates, line, what) in [
        (&[("mine", "{\n \"a\": \"{{{type}}}\" }")][..], 2, "unescaped"),
        (&[("mine", "{\"a\": \"{{&type}}\"}")], 1, "unescaped"),
        (&[("mine", "{\n\"a\": \"{{tpye}}\"}")], 2, "tpye"),
        (&[("mine", "{\"a\": \"{{shout type}}\"}")], 1, "shout"),
        (&[("mine", "{{#if type}}{}")], 1, ""),
        (&[("mine", "{{> a}}"), ("a", "{{> b}}"), ("b", "{{> a}}")], 1, "without end"),
        (&[("mine", "{{> mine}}")], 1, "without end"),
        (&[("mine", "{{> gone}}")], 1, "no partial `gone`"),
        (&[("mine", "{{> (lookup this \"type\")}}")], 1, "computed"),
        (&[("mine", "{{#*inline \"x\"}}{{/inline}}{}")], 1, "decorators"),
        (&[("mine", "{{#> slack}}x{{/slack}}")], 1, "block"),
        (&[("mine", "no JSON")], 1, "JSON"),
        (&[("slack", "{\"text\": \"\"}")], 1, "`text`"),
        (&[("discord", "{\"text\": \"x\"}")], 1, "`content` or `embeds`"),
        (&[("discord", "{\"embeds\": [{\"color\": \"red\"}]}")], 1, "`color`"),
        (&[("google-chat", "{\"text\": \"x\", \"blocks\": []}")], 1, "knows no `blocks`"),
        (&[("mattermost", "{\"text\": \"x\", \"blocks\": []}")], 1, "knows no `blocks`"),
        (&[("mattermost", "{\"attachments\": [{}]}")], 1, "an attachment needs"),
        (&[("teams", "{\"type\": \"message\"}")], 1, "attachments"),
    ] {
        let found = problems(templates);
        let fits = |problem: &Problem| problem.what.contains(what) && problem.place.line == line;
        assert!(found.iter().any(fits), "{templates:?}: {found:#?}");
    }
    assert!(problems(&[("mine", &"{{#if type}}".repeat(2_500))])[0].what.contains("deeper"));
    assert!(problems(&[("mine", &"x".repeat(33 * 1024))])[0].what.contains("bytes"));
    let large = format!("\"{}\"", "{{#each words.facts}}xxxxxxxxxxxxxxxxxxxxxxxx{{/each}}".repeat(400));
    assert!(problems(&[("mine", &large)])[0].what.contains("limit"));
}

#[test]
fn the_users_templates_and_partials_stand_over_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slack.hbs"), "{\"text\": \"{{> who}} {{number 1.005}}\"}").unwrap();
    fs::write(folder.path().join("who.hbs"), "{{words.headline}} {{utc timestamp}}").unwrap();
    let registry = templates(Some(folder.path())).unwrap();
    assert!(registry.has("slack") && registry.has("teams") && registry.has("who") && !registry.has("gone"));
    assert!(registry.suits("slack", &slack::DIALECT) && !registry.suits("slack", &teams::DIALECT));
    let payload = write(&registry, &slack::DIALECT, NotificationType::AlertFiring, "A & B");
    insta::assert_json_snapshot!("own_template", payload);
    let test = sample::notification(NotificationType::Test, "");
    assert!(
        registry
            .render("gone", &slack::DIALECT, &test, &Locale::default())
            .is_err_and(|failure| matches!(failure, RenderFailure::Template { .. }))
    );
}

/// Every string in a payload, with the object it stands in.
fn strings<'a>(value: &'a Value, key: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((key, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| strings(field, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Keys under which there are texts.
const TEXTS: [&str; 6] = ["text", "fallbackText", "content", "description", "value", "fallback"];

/// Everything but the texts: which elements there are, and where links lead.
fn skeleton(value: &Value, key: &str) -> Value {
    match value {
        Value::String(text) if !TEXTS.contains(&key) => Value::from(text.as_str()),
        Value::String(_) => Value::from("…"),
        Value::Array(items) => items.iter().map(|item| skeleton(item, key)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, field)| (key.clone(), skeleton(field, key))).collect(),
        other => other.clone(),
    }
}

/// Asserts that a name adds no element, link, mention or template expression to a payload.
fn assert_harmless(registry: &Registry, dialect: &'static Dialect, kind: NotificationType, name: &str) {
    let payload = write(registry, dialect, kind, name);
    let ordinary = write(registry, dialect, kind, "Contoso Ltd");
    // Long names drop causes; the elements that are left are the same.
    if name.chars().count() < 40 {
        assert_eq!(skeleton(&payload, ""), skeleton(&ordinary, ""), "{name:?}");
    }
    assert_tame(dialect, &payload);
}

/// How the links begin that the samples have.
const OWN_LINKS: [&str; 4] = [
    "https://scores.mssp.example/",
    "https://security.microsoft.com/",
    "https://entra.microsoft.com/",
    "https://api.slack.com/apps",
];

/// What the templates themselves write that would do something in Markdown. A value can't: its signs are escaped.
const OWN_SIGNS: [&str; 6] = [
    "**",
    "• [",
    "[Open ",
    "](https://scores.mssp.example/alerts/alert_",
    "[I see this: confirm](https://scores.mssp.example/confirm/msg_",
    "Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/",
];

/// Asserts that no text of a payload drives its receiver.
fn assert_tame(dialect: &'static Dialect, payload: &Value) {
    let mut found = Vec::new();
    strings(payload, "", &mut found);
    for (key, text) in found {
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        assert!(!text.contains(['\u{202E}', '\u{E000}', '\u{E001}']), "{text:?}");
        match dialect.name {
            "teams" => assert!(!text.contains("{{") && !text.contains("<at>"), "{text:?}"),
            "slack" => {
                let own: usize = OWN_LINKS.iter().map(|link| text.matches(&format!("<{link}")).count()).sum();
                assert_eq!(text.matches('<').count(), own, "{key}: {text:?}");
            }
            "discord" => {
                assert!(!text.contains("@e") && !holds_sign(text, "<[*_~|`", &OWN_SIGNS), "{text:?}");
            }
            "mattermost" => {
                assert!(!text.contains("@c") && !text.contains("<!"), "{text:?}");
                // The fallback is shown as it is.
                assert!(key == "fallback" || !holds_sign(text, "[*_|`", &OWN_SIGNS), "{text:?}");
            }
            "google-chat" => {
                assert!(!text.contains("<!") && !text.contains("<u"), "{text:?}");
                let own: usize = OWN_LINKS.iter().map(|link| text.matches(&format!("<a href=\"{link}")).count()).sum();
                assert_eq!(text.matches("<a").count(), own, "{text:?}");
            }
            "webhook" | "email" => {}
            other => panic!("state here what no text for `{other}` may hold"),
        }
        let parts_links = !matches!(dialect.name, "teams" | "slack");
        assert!(!parts_links || key == "url" || !text.contains("https://evil"), "{text:?}");
    }
}

/// Whether a text has one of these signs unescaped, in addition to what the templates themselves write.
fn holds_sign(text: &str, signs: &str, own: &[&str]) -> bool {
    let mut left = text.replace("\\\\", "");
    for own in own {
        left = left.replace(own, "");
    }
    let mut before = ' ';
    left.chars().any(|letter| {
        let found = signs.contains(letter) && before != '\\';
        before = letter;
        found
    })
}

#[test]
fn names_that_have_done_harm_do_none() {
    let registry = built_in();
    for name in sample::hostile_names() {
        for kind in sample::TYPES {
            for dialect in CHATS {
                assert_harmless(&registry, dialect, kind, &name);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_name_adds_a_mention_a_link_or_an_element(
        name in prop_oneof!["\\PC{0,60}", "[<>!@#&|{}\"\\\\*_`~\\[\\]() a\u{202E}\u{0}\n]{0,39}", "\\PC{5000}"],
        kind in proptest::sample::select(sample::TYPES.to_vec()),
    ) {
        thread_local!(static REGISTRY: Registry = built_in());
        REGISTRY.with(|registry| {
            for dialect in CHATS {
                assert_harmless(registry, dialect, kind, &name);
            }
        });
    }

    #[test]
    fn markdown_in_a_users_card_stays_the_users(name in "[*_\\[\\]()`~\\\\a{}<>]{1,30}") {
        let card = "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.card.adaptive\",\"content\":\
            {\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body\":[{\"type\":\"TextBlock\",\"text\":\"**{{type}}** {{data.tenant.name}}\"}]}}]}";
        let card = card.replace("{{data.tenant.name}}", "{{#if data.tenant}}{{data.tenant.name}}{{/if}}");
        thread_local!(static REGISTRY: std::cell::OnceCell<Registry> = const { std::cell::OnceCell::new() });
        let payload = REGISTRY.with(|registry| {
            let registry = registry.get_or_init(|| {
                let folder = tempfile::tempdir().unwrap();
                fs::write(folder.path().join("teams.hbs"), card).unwrap();
                templates(Some(folder.path())).unwrap()
            });
            write(registry, &teams::DIALECT, NotificationType::AlertFiring, &name)
        });
        let text = payload["attachments"][0]["content"]["body"][0]["text"].as_str().unwrap();
        let value = text.strip_prefix("**alert.firing** ").unwrap();
        prop_assert!(!value.contains(['*', '_', '[', ']', '(', ')', '`', '\\', '~']), "{}", value);
        prop_assert!(!value.contains("{{"));
    }
}
