//! Which built-in templates suit which kinds of receivers.

use super::{built_in, dialects};

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
