//! Which built-in templates suit which kinds of receivers.

use std::{collections::BTreeMap, fs, sync::Arc};

use super::{
    built_in, dialects,
    show::{kinds, settings},
};
use crate::{
    channel::{self, ChannelSettings, Show},
    notify::route::Audience,
};

#[test]
fn a_built_in_template_suits_the_kind_that_it_is_named_after_and_those_that_take_what_it_writes() {
    let registry = built_in();
    for (name, expected) in [
        ("teams", &["teams", "webhook"][..]),
        ("teams-fact", &[]),
        ("slack", &["slack", "webhook"]),
        ("discord", &["discord", "webhook"]),
        ("google-chat", &["slack", "google-chat", "webhook"]),
        ("mattermost", &["slack", "mattermost", "webhook"]),
        ("webhook", &["slack", "mattermost", "webhook"]),
        ("email", &["email"]),
    ] {
        let suited: Vec<&str> = dialects()
            .into_iter()
            .filter(|dialect| registry.writes_for(name, dialect))
            .map(|dialect| dialect.name)
            .collect();
        assert_eq!(suited, expected, "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_said_of_the_kind_of_channel_that_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    // A slip of the pen that no kind takes; its text looks like one for Mattermost.
    fs::write(folder.path().join("own.hbs"), "{ \"attachments\": {{words.headlin}} }").unwrap();
    let kinds = kinds(folder.path());
    let slack = kinds.into_iter().find(|kind| kind.dialect().is_some_and(|dialect| dialect.name == "slack")).unwrap();
    let own = ChannelSettings {
        template: Some("own".to_owned()),
        ..settings(slack, Audience::default(), Show { labels: true, about: true })
    };
    let said_with = |channels: &BTreeMap<_, _>| {
        let problems = channel::templates_for(Some(folder.path()), channels).err().unwrap();
        problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().concat()
    };
    let without = said_with(&BTreeMap::new());
    assert!(without.contains("for mattermost:"), "{without}");
    let with = said_with(&BTreeMap::from([(own.name.clone(), Arc::new(own))]));
    assert!(with.contains("for slack:"), "{with}");
}
