//! No secret that stands in the wrong place is repeated.

use proptest::{prelude::*, sample::Index};

use super::{MAIN, RULES, TENANT, read};

fn is_quiet(main: &str, tenant: &str, rules: &str, secret: &str) {
    let (loaded, text) = read(main, tenant, rules);
    let json = serde_json::to_string(&loaded.problems).unwrap();
    let debug = format!("{:?}{:?}", loaded.config, loaded.excerpts);
    for shown in [&text, &json, &debug] {
        assert!(!shown.contains(secret), "{secret} shows in\n{shown}");
    }
}

#[test]
fn a_short_secret_is_hidden_where_secrets_belong_however_it_is_written() {
    for written in [
        "s3cr3t",
        "\"s3cr3t\"",
        "[s3cr3t]",
        "{ s3cr3t: x }",
        "{ env: s3cr3t }",
        "{ env: s3cr3t, file: s3cr3t-too }",
        "{ below: s3cr3t }",
        "|\n    s3cr3t\n    more",
        "\n    s3cr3t",
        "\"s3cr3t\n    more\"",
        "s3cr3t # s3cr3t",
        "[s3cr3t",
        "'s3cr3t",
        "*s3cr3t",
        "!s3cr3t x",
        "https://x.example/s3cr3t",
    ] {
        for key in ["secret", "federated_token", "password", "client_id"] {
            let tenant = format!("{TENANT}endpoints: 5\ncredential:\n  {key}: {written}\n  more: 1\n").replacen(
                "credential: {",
                "other: {",
                1,
            );
            let secret = if written.starts_with("{ s3cr3t") { "\u{0}" } else { "s3cr3t" };
            is_quiet(MAIN, &tenant, RULES, secret);
        }
        for (kind, key) in [
            ("teams", "url"),
            ("webhook", "url"),
            ("webhook", "signing_secret"),
            ("pagerduty", "routing_key"),
            ("email", "password"),
            ("alertmanager", "password"),
            ("alertmanager", "bearer_token"),
        ] {
            let secret = if written.starts_with("{ s3cr3t") { "\u{0}" } else { "s3cr3t" };
            let bad = format!("channels:\n  bad:\n   type: {kind}\n   {key}: {written}\n   more: 1\n");
            is_quiet(&MAIN.replace("channels:\n", &bad), TENANT, RULES, secret);
        }
    }
}

#[test]
fn a_password_of_the_database_in_the_open_is_not_printed() {
    for store in [
        "postgres://u:hunter3@db.example/scores",
        "\"postgres://u:hunter3/x@db.example/scores\"",
        "{ postgres: \"postgres://u:hunter3@db.example/scores\" }",
        "{ postgres: \"postgres://u@db.example/scores?password=hunter3\" }",
        "{ postgres: postgres://u@db.example/scores, password: hunter3 }",
    ] {
        is_quiet(&MAIN.replace("sqlite://data/scorewatch.db", store), TENANT, RULES, "hunter3");
    }
}

#[test]
fn a_webhook_address_in_the_open_is_not_printed() {
    is_quiet(&MAIN.replace("soar.example/hook", "soar.example/hunter3?sig=hunter3"), TENANT, RULES, "hunter3");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_random_secret_is_hidden_wherever_it_stands(
        secret in "[A-Za-z0-9]{9}[0-9][a-z][0-9][A-Z][0-9][A-Za-z0-9~._]{10}",
        which in 0..3_usize,
        at in any::<Index>(),
        as_key in any::<bool>(),
    ) {
        let mut texts = [MAIN.to_owned(), TENANT.to_owned(), RULES.to_owned()];
        // Every value, or every key, is a place.
        let text = &texts[which];
        let places: Vec<usize> = text.match_indices(": ").map(|(at, _)| at).collect();
        let colon = places[at.index(places.len())];
        let is_end = |letter: char| " ,{}[]\n".contains(letter);
        let (from, to) = if as_key {
            (text[..colon].rfind(is_end).map_or(0, |at| at + 1), colon)
        } else {
            let from = colon + 2 + usize::from(text[colon + 2..].starts_with(['{', '[', '"']));
            (from, text[from..].find(is_end).map_or(text.len(), |at| from + at))
        };
        texts[which].replace_range(from..to, &secret);
        let (loaded, text) = read(&texts[0], &texts[1], &texts[2]);
        let json = serde_json::to_string(&loaded.problems).unwrap();
        prop_assert!(!text.contains(&secret) && !json.contains(&secret), "{secret} shows in\n{text}");
    }
}
