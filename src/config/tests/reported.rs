//! Every mistake is reported at its place, in words that a tired person understands.

use std::fmt::Write;

use super::{MAIN, RULES, TENANT, read};

/// The file, what is replaced by what, and what is reported.
type Mistake = (char, &'static str, &'static str, &'static str);

const MISTAKES: &[Mistake] = &[
    // The main file.
    ('m', "sqlite:", "postgres:", "2:8: error: store: the address of the database names no role"),
    ('m', "sqlite://", "postgres://u:p@", "2:8: error: store: there is a password in the address"),
    ('m', "sqlite://", "postgres://u@h:", "2:8: error: store: this is not the address of a database"),
    (
        'm',
        "sqlite://data/scorewatch.db",
        "{ postgres: postgres://u@h/d, tls: off }",
        "error: store.tls: `off` is not known here; write `verify-full`",
    ),
    ('m', "sqlite://data/scorewatch.db", "{ password: { env: DB } }", "2:8: error: store: the store names no database"),
    ('m', "sqlite://data/scorewatch.db", "{ postgres: postgres://u@localhost/d, ca: x }", "store.ca: the server's"),
    ('m', "sqlite:", "redis:", "store: this is not a store"),
    ('m', "timezone", "timezon", "did you mean `timezone`?"),
    ('m', "Berlin", "Berln", "4:11: error: timezone: `Europe/Berln` is not a time zone; did you mean"),
    ('m', "\"0 */15", "\"*/15", "3:11: error: schedule: `*/15 * * * *` has five fields; put the seconds first"),
    (
        'm',
        "[device-secure-score]",
        "[secure-scores]",
        "5:10: error: scores[0]: `secure-scores` is not a score; did you mean `secure-score`?",
    ),
    ('m', "[device-secure-score]", "[]", "there is no score here that can be polled"),
    ('m', "rules/*.yaml", "rules/none.yaml", "6:9: error: rules[0]: there is no file `rules/none.yaml`"),
    ('m', "rules/*.yaml", "rules/***.yaml", "this is not a pattern"),
    ('m', "operator: {", "spread: soon\noperator: {", "spread: "),
    (
        'm',
        "operator: {",
        "listen: here\noperator: {",
        "listen: `here` is not an address with a port; write it like `127.0.0.1:8080`",
    ),
    ('m', "operator: {", "public_url: https://u:p@x\noperator: {", "public_url: this is not a web address"),
    ('m', "operator: {", "timeout: 0s\noperator: {", "timeout: it can't be zero"),
    ('m', "operator: {", "concurrency: 0\noperator: {", "concurrency: `0` is not a whole number above zero"),
    ('m', "operator: {", "retention: long\noperator: {", "retention: "),
    ('m', "operator: {", "fleet: { share: 0% }\noperator: {", "fleet.share: `0%` is not a share"),
    ('m', "operator: {", "fleet: { at_least: few }\noperator: {", "fleet.at_least: `few` is not a whole number"),
    ('m', "[soc-teams, soar]", "[contoso]", "operator.notify: channel `contoso` is for some tenants only"),
    (
        'm',
        "[soc-teams, soar]",
        "[soc-team]",
        "operator.notify[0]: channel `soc-team` is not defined; did you mean `soc-teams`?",
    ),
    ('m', "[soc-teams, soar]", "soar", "write a list"),
    // Maintenance windows.
    ('m', "operator: {", "maintenance: [{ tenants: all }]\noperator: {", "maintenance[0].name: `name` is missing"),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, from: 0 0 22 * * *, for: 1h }]\noperator: {",
        "maintenance[0]: this does not say what it covers; write `tenants: all`",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, tenants: all, from: 0 0 22 * * * }]\noperator: {",
        "maintenance[0]: a window has one end; write one of `for: 6h` and `until:",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, tenants: all, from: 0 0 22 * * *, for: 24h }]\noperator: {",
        "maintenance[0].from: it begins again before it is over, and so never ends",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, tenants: [contosso], from: 0 22 * * *, for: 0s }]\noperator: {",
        "maintenance[0].tenants[0]: there is no tenant `contosso`",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, tenants: everybody, from: 0 22 * * *, for: 1h }]\noperator: {",
        "maintenance[0].tenants: expected `all`, a list of tenants or labels, found text",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, rules: drops, from: 0 22 * * *, for: 0s }]\noperator: {",
        "maintenance[0].rules: there is no rule `drops`; did you mean `drop`?",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, severity: [bad], from: 0 22 * * *, for: 0s }]\noperator: {",
        "maintenance[0].severity[0]: `bad` is not a severity",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, scores: secure, from: 0 22 * * *, for: 0s, timezone: Mars }]\noperator: {",
        "maintenance[0].scores: `secure` is not a score",
    ),
    (
        'm',
        "operator: {",
        "maintenance: [{ name: w, tenants: all, from: 0 22 * * *, for: 0s }]\noperator: {",
        "maintenance[0].from: `0 22 * * *` has five fields",
    ),
    // Channels.
    ('m', "type: teams", "type: team", "channels.soc-teams.type: `team` is not known here"),
    ('m', "type: teams, ", "", "`type` is missing"),
    ('m', "type: teams, url: { file: secret }", "type: teams", "`url` is missing"),
    (
        'm',
        "type: teams,",
        "type: teams, signing_secret: { file: secret },",
        "only a channel of type `webhook` has `signing_secret`",
    ),
    ('m', "type: teams, url: { file: secret }", "type: teams, url: https://x.example/y", "this is the secret itself"),
    (
        'm',
        "tenants: [contoso]",
        "tenants: [contosso]",
        "channels.contoso.tenants: there is no tenant `contosso`; did you mean `contoso`?",
    ),
    ('m', "tenants: [contoso]", "labels: { tier: silver }", "may not show tenant `contoso`"),
    ('m', "type: teams,", "type: teams, template: none,", "channels.soc-teams.template: there is no template `none`"),
    ('m', "type: teams,", "type: teams, template: slack,", "template `slack` does not write what `teams` takes"),
    ('m', "type: teams,", "type: discord, template: slack,", "template `slack` does not write what `discord` takes"),
    ('m', "type: teams, url: { file: secret }", "type: mattermost, url: https://x/y", "this is the secret itself"),
    (
        'm',
        "type: teams,",
        "type: google-chat, signing_secret: { file: secret },",
        "only a channel of type `webhook` has `signing_secret`",
    ),
    ('m', "type: teams,", "type: teams, retry: { first: 1h },", "`first` is longer than `max`"),
    ('m', "type: teams,", "type: teams, retry: { give_up: 1m },", "`max` is longer than `give_up`"),
    ('m', "type: teams,", "type: teams, digest: { over: 0 },", "digest.over: `0` is not a whole number"),
    ('m', "type: teams,", "type: teams, allow_private: [10.0.0.0/99],", "`10.0.0.0/99` is not a network"),
    ('m', "type: teams,", "type: teams, show: [names],", "`names` is not known here; use one of `labels`, `about`"),
    ('m', "type: teams,", "type: teams, allow_private: maybe,", "`true`, `false` or a list of networks"),
    ('m', "type: teams,", "type: teams, pace: 0s,", "pace: it can't be zero"),
    ('m', "type: teams,", "type: teams, drill: 12h,", "channels.soc-teams.drill: `12h` is too often for a drill"),
    (
        'm',
        "type: teams,",
        "type: teams, drill: monthly,",
        "`monthly` is not a time between drills; write a day or more",
    ),
    (
        'm',
        "type: teams,",
        "type: teams, report: hourly,",
        "`hourly` is not a time for reports; write `weekly`, `daily`, `monthly`, `off`",
    ),
    (
        'm',
        "type: teams,",
        "type: teams, report: [daily],",
        "expected `weekly`, `daily`, `monthly`, `off` or a schedule, found a list",
    ),
    ('m', "type: teams,", "type: teams, report: { timezone: UTC },", "channels.soc-teams.report.at: `at` is missing"),
    ('m', "type: teams,", "type: teams, report: { at: 0 8 * * MON },", "report.at: `0 8 * * MON` has five fields"),
    ('m', "type: teams,", "type: teams, report: { at: 0 0 8 * * *, timezone: Mars },", "`Mars` is not a time zone"),
    ('m', "type: teams,", "type: teams, report: { on: MON },", "channels.soc-teams.report.on: "),
    ('m', "type: teams,", "type: teams, report: { month: 0 8 1 * * },", "report.month: `0 8 1 * *` has five fields"),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: routing }, report: monthly",
        "soc-teams.report: this type of channel keeps alerts and takes no reports; delete `report`",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: routing }, report: daily",
        "soc-teams.report: this type of channel keeps alerts and takes no reports; delete `report`",
    ),
    ('m', "file: key", "file: secret", "soar.signing_secret: what it holds is not a signing secret"),
    (
        'm',
        "type: teams,",
        "type: teams, region: eu,",
        "soc-teams.region: only a channel of type `pagerduty` has `region`",
    ),
    ('m', "type: teams, url: { file: secret }", "type: pagerduty", "`routing_key` is missing"),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: secret }",
        "soc-teams.routing_key: what it holds is not an integration key of 32 letters and digits",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: routing }, url: https://pager.example",
        "soc-teams.url: a `pagerduty` is sent to PagerDuty's own host",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: routing }, region: de",
        "region: `de` is not known here; use one of `us`, `eu`",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: pagerduty, routing_key: { file: routing }, template: slack",
        "sends fields, no text",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: alertmanager, url: http://alertmanager.example:9093",
        "soc-teams.url: the channel's URL is refused: it must begin with `https://`",
    ),
    (
        'm',
        "type: teams, url: { file: secret }",
        "type: alertmanager, url: https://a.example, username: me",
        "this is half a way to sign in, or two",
    ),
    // Tenants.
    ('t', "id: contoso", "id: Contoso", "2:5: error: id: a name can't contain 'C'"),
    ('t', "id: contoso\n", "\n", "`id` is missing"),
    ('t', "2f1c0a5e", "2f1c0a5", "tenant_id: this is not a GUID"),
    ('t', "region: eu", "region: europe", "region: `europe` is not known here"),
    ('t', "region: eu", "cloud: gccc", "cloud: `gccc` is not known here"),
    ('t', "region: eu", "endpoints: { login: http://login.example }", "secrets would travel in the open"),
    ('t', "{ file: ../secret }", "s3cr3t", "credential.secret: this is the secret itself"),
    ('t', "../secret", "../absent", "credential.secret: file `../absent` does not exist"),
    ('t', "{ file: ../secret }", "{ env: SCOREWATCH_UNSET }", "environment variable `SCOREWATCH_UNSET` is not set"),
    ('t', "{ file: ../secret }", "{ env: A, file: b }", "a secret is kept in exactly one place"),
    ('t', "2027-03-01", "soon", "credential.expires: `soon` is not a day; write it like `2027-03-01`"),
    ('t', "secret: {", "certificate: {", "credential.certificate: file `../secret` contains no certificate"),
    ('t', "secret: {", "certificate: { file: ../secret }, secret: {", "an app proves itself in one way at a time"),
    ('t', "secret: { file: ../secret },", "", "the app has nothing to prove itself with"),
    ('t', "tier: gold", "tier: 5", "labels.tier: a label's value is a text"),
    ('t', "credential:", "# credential:", "this tenant has no `credential`"),
    // Rules.
    ('r', "for: 1h", "about: ''", "rules[0].about: there is no text; write a sentence, or delete the key"),
    ('r', "for: 1h", "runbook: http://wiki.example/floor", "rules[0].runbook: messages can't show this link"),
    ('r', "for: 1h", "runbook: https://me:secret@wiki.example/", "rules[0].runbook: messages can't show this link"),
    ('r', "drop: 5%", "drop: 5", "10:61: error: rules[1].when.drop: `5` has no unit"),
    ('r', "drop: 5%", "drop: 0%", "`0%` is not a size"),
    ('r', "within: 24h", "from: best", "`within` is missing"),
    ('r', "below: 300 }", "below: 300, within: 1h }", "`within` belongs to `drop` and `rise`"),
    ('r', "below: 300", "below: 300, above: 400", "a rule has exactly one condition"),
    ('r', "below: 300", "below: low", "`low` is not a score"),
    (
        'r',
        "above: 320",
        "above: 250",
        "7:14: error: rules[0].recover: `above: 250` is on the wrong side of `below: 300`",
    ),
    ('r', "above: 320", "below: 320", "this can't be the recovery of `below`"),
    ('r', "above: 320", "regained: 50%", "this can't be the recovery of `below`"),
    (
        'r',
        "when: { no_data: 6h }",
        "when: { no_data: 6h }, recover: { above: 3 }",
        "`no_data` is over with the next reading",
    ),
    ('r', "when: { no_data: 6h }", "when: { no_data: 6h }, for: 1h", "`no_data` already says how long"),
    ('r', "when: { no_data: 6h }", "when: { no_data: 6h }, step: 5pts", "`step` belongs to `below` and `above`"),
    ('r', "for: 1h", "accept_after: 1d", "`accept_after` belongs to `drop` and `rise`"),
    ('r', "for: 1h", "repeat: 0s", "repeat: it can't be zero"),
    ('r', "for: 1h", "fleet: perhaps", "fleet: `perhaps` is not known here"),
    ('r', "name: blind", "name: operator.blind", "names that begin with `operator.` are Scorewatch's own"),
    ('r', "name: blind", "name: drop", "rule `drop` is defined a second time"),
    ('r', "severity", "severty", "did you mean `severity`?"),
    ('r', "severity: critical", "severity: high", "severity: `high` is not known here; did you mean `critical`?"),
    ('r', "    notify: [soc-teams]", "    notify: [soc-temas]", "did you mean `soc-teams`?"),
    ('r', "name: drop, score: device-secure-score", "name: drop", "`score` is missing"),
];

fn make(mistake: &Mistake) -> (super::Loaded, String) {
    let (file, from, to, _) = *mistake;
    let change = |text: &str, here: char| {
        assert!(here != file || text.contains(from), "{from} is not in\n{text}");
        if here == file { text.replacen(from, to, 1) } else { text.to_owned() }
    };
    read(&change(MAIN, 'm'), &change(TENANT, 't'), &change(RULES, 'r'))
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let missed: Vec<String> = MISTAKES
        .iter()
        .filter_map(|mistake| {
            let (loaded, text) = make(mistake);
            let is_reported = loaded.has_error() && text.contains(mistake.3) && !text.contains("s3cr3t");
            (!is_reported).then(|| format!("`{}` is not reported:\n{text}", mistake.3))
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    for (file, from, to, reported) in [
        (
            'r',
            "when: { drop: 5%",
            "when: { rise: 5%",
            "this fires on good news: of `device-secure-score`, higher is better",
        ),
        ('r', "tier: gold", "tier: golden", "rule `device-score-low` selects no tenant"),
        ('m', "rules/*.yaml", "none/*.yaml", "no file matches `none/*.yaml`"),
        ('m', "operator: { notify: [soc-teams, soar] }", "", "nobody is notified when Scorewatch can't read tenants"),
        (
            'm',
            "operator: {",
            "maintenance: [{ name: w, tenants: { tier: tin }, from: 0 0 22 * * *, for: 1h }]\noperator: {",
            "no tenant has these labels",
        ),
        (
            'm',
            "0 */15 * * * *",
            "* * * * * *",
            "tenant `contoso` makes 1 calls of Defender's at each check, and by this schedule",
        ),
        (
            't',
            "region: eu",
            "scores: [exposure-score]\nschedule: \"*/2 * * * * *\"",
            "more than Microsoft takes: 100 a minute",
        ),
        ('m', "operator: {", "public_url: http://x\noperator: {", "links with `http:` are shown in no message"),
    ] {
        let (loaded, text) = make(&(file, from, to, reported));
        let is_warning = loaded.config.is_some() && text.contains(": warning[");
        assert!(is_warning && text.contains(reported), "{reported} is not in\n{text}");
    }
}

#[test]
fn an_audience_names_some_tenants_and_counts_the_others() {
    let credential = "credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: ../secret } }";
    let mut tenants = String::new();
    for id in 10..60 {
        let entra = format!("2f1c0a5e-0000-4000-8000-0000000000{id}");
        writeln!(tenants, "- {{ id: t{id}, tenant_id: {entra}, {credential} }}").unwrap();
    }
    let main = MAIN.replace("tenants: [contoso]", "tenants: [t10]");
    let (loaded, text) = read(&main, &tenants, "rules: [{ name: blind, when: { no_data: 6h }, notify: [contoso] }]");
    assert!(text.contains("tenants that it may not show: `t11`, `t12`, `t13` and 46 more; narrow"), "{text}");
    assert_eq!(loaded.problems.len(), 1, "{text}");
}

#[test]
fn typical_mistakes_read_well() {
    let shown = |reported: &str| {
        let mistake = MISTAKES.iter().find(|mistake| mistake.3.contains(reported)).unwrap();
        make(mistake).1
    };
    let reported = [
        "did you mean `timezone`?",
        "is not a time zone",
        "has five fields",
        "`secure-scores` is not a score",
        "channel `contoso` is for some tenants only",
        "did you mean `contoso`?",
        "this is the secret itself",
        "`../absent` does not exist",
        "this is not a GUID",
        "`5` has no unit",
        "is on the wrong side",
        "may not show tenant",
        "did you mean `severity`?",
        "`type` is missing",
        "is too often for a drill",
    ];
    insta::assert_snapshot!(reported.map(shown).join("\n\n"));
    let all = MAIN.replace("[soc-teams, soar]", "[soc-team").replace("timezone", "timezon");
    insta::assert_snapshot!("broken_yaml", read(&all, &format!("{TENANT}id: again"), RULES).1);
}

#[test]
fn what_a_rule_is_for_is_one_short_text_however_it_is_broken_into_lines() {
    let guided = RULES.replace(
        "for: 1h",
        "about: >\n      A floor\n      that was promised.\n    runbook: https://wiki.example/floor",
    );
    let rule = read(MAIN, TENANT, &guided).0.config.unwrap().rules[0].clone();
    assert_eq!(rule.guide.about.as_deref(), Some("A floor that was promised."));
    assert_eq!(rule.guide.runbook.as_deref(), Some("https://wiki.example/floor"));
    for key in ["about", "runbook"] {
        let long = RULES.replace("for: 1h", &format!("{key}: {}", "word ".repeat(61)));
        let reported = read(MAIN, TENANT, &long).1;
        assert!(reported.contains(&format!("rules[0].{key}: the text has 304 characters")), "{reported}");
    }
}
