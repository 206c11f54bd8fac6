//! The mistakes that people make in a first configuration: each is one edit of it, with the words that are said of it, and whether
//! an editor that knows the JSON Schema marks it, too.
//!
//! Long because it is one table.

mod schema;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    config::{load, schema::Subject},
    diagnostic::render,
    domain::Timestamp,
};

const MAIN: &str = r#"store: sqlite://data/scorewatch.db
schedule: "0 */15 * * * *"        # every 15 minutes
timezone: Europe/Berlin
spread: 10m
rules: [rules.yaml]
tenants:
  - id: contoso
    name: Contoso Ltd
    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
    credential:
      client_id: 6d2a0000-0000-4000-8000-000000000001
      secret: { file: secrets/contoso }
      expires: 2027-03-01         # a note
    labels: { tier: gold }
channels:
  soc: { type: teams, url: { file: secrets/soc-teams } }
  too: { type: webhook, url: https://soar.example/hook }
operator: { notify: [soc, too] }
"#;
const RULES: &str = "rules:
  - name: device-score-drop
    score: device-secure-score
    when: { drop: 5%, within: 24h }
    severity: critical
    notify: [soc]
  - name: device-score-low
    score: device-secure-score
    when: { below: 300 }
    recover: { above: 320 }
    notify: [soc]
  - name: blind
    when: { no_data: 6h }
    notify: [soc]
";
const TEAMS: &str =
    "https://prod-11.westeurope.logic.azure.com/workflows/0f/triggers/manual/paths/invoke?api-version=1&sig=x";
const NOW: &str = "2026-11-30T12:00:00Z";

/// Whether an editor marks a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Editor {
    Marks,
    Silent,
}
use Editor::{Marks, Silent};

/// Which file (`m`ain or `r`ules), what is replaced by what, what is said, and whether an editor marks it.
type Mistake = (char, &'static str, &'static str, &'static str, Editor);

const MISTAKES: &[Mistake] = &[
    // The notation of YAML.
    ('m', "    tenant_id: 2f1c", "       tenant_id: 2f1c", "a second `:` follows in one value", Silent),
    ('m', "    name: Contoso Ltd", "\tname: Contoso Ltd", "a tab can't indent a line", Silent),
    (
        'm',
        "\"0 */15 * * * *\"",
        "*/15 * * * *",
        "YAML reads a `*` at the beginning of a value as an alias; put the schedule in quotes",
        Silent,
    ),
    (
        'm',
        "name: Contoso Ltd",
        "name: Contoso: Ltd",
        "a second `:` follows in one value; put a value that holds `: ` in quotes",
        Silent,
    ),
    ('m', "name: Contoso Ltd", "name: \"Contoso Ltd", "the quotation mark is never closed", Silent),
    ('m', "labels: { tier: gold }", "labels: { tier: gold", "a bracket that was opened above is not closed", Silent),
    (
        'm',
        "timezone: Europe/Berlin",
        "timezone: Europe/Berlin\ntimezone: UTC",
        "`timezone` stands here a second time",
        Silent,
    ),
    (
        'r',
        "below: 300",
        "below: 52,5",
        "error: `52,5` has a decimal comma, which separates two keys here; write a decimal point",
        Marks,
    ),
    ('r', "drop: 5%", "drop: 2,5%", "error: `2,5%` has a decimal comma", Marks),
    ('r', "{ below: 300 }", "\n      below: 52,5", "`52,5` has a decimal comma; write a decimal point: `52.5`", Marks),
    ('m', "spread: 10m", "\u{a0}spread: 10m", "a no-break space (U+00A0) can't indent a line", Marks),
    ('m', "spread: 10m", "spread: 10\u{a0}m", "this holds a no-break space (U+00A0)", Marks),
    (
        'm',
        "\"0 */15 * * * *\"",
        "“0 */15 * * * *”",
        "`“` is a typographic quotation mark, and a part of the text; write straight quotes",
        Silent,
    ),
    // Misspelt keys: the cause and nothing that follows from it.
    ('m', "channels:", "chanels:", "chanels: unknown key `chanels`; did you mean `channels`?", Marks),
    ('m', "tenants:\n", "tenant:\n", "unknown key `tenant`; did you mean `tenants`?", Marks),
    ('m', "operator:", "operators:", "unknown key `operators`; did you mean `operator`?", Marks),
    ('m', "rules:", "rule:", "unknown key `rule`; did you mean `rules`?", Marks),
    ('m', "client_id:", "clientId:", "unknown key `clientId`; did you mean `client_id`?", Marks),
    ('m', "tenant_id:", "tenantid:", "unknown key `tenantid`; did you mean `tenant_id`?", Marks),
    ('m', "secret: {", "client_secret: {", "unknown key `client_secret`; did you mean `secret`?", Marks),
    ('m', "credential:", "credentials:", "unknown key `credentials`; did you mean `credential`?", Marks),
    ('m', "type: teams", "kind: teams", "unknown key `kind`; did you mean `type`?", Marks),
    ('r', "severity", "severty", "unknown key `severty`; did you mean `severity`?", Marks),
    ('r', "drop: 5%", "drops: 5%", "unknown key `drops`; did you mean `drop`?", Marks),
    ('r', "below: 300", "lower_than: 300", "unknown key `lower_than`; did you mean `below`?", Marks),
    ('r', "when: { below", "if: { below", "unknown key `if`; did you mean `when`?", Marks),
    ('r', "score: device", "scores: device", "unknown key `scores`; did you mean `score`?", Marks),
    // Schedules and times.
    ('m', "\"0 */15 * * * *\"", "\"*/15 * * * *\"", "has five fields; put the seconds first: `0 */15 * * * *`", Marks),
    ('m', "\"0 */15 * * * *\"", "\"every 15 minutes\"", "has 3 fields; write six", Marks),
    ('m', "\"0 */15 * * * *\"", "\"@hourly\"", "is a nickname, which is not supported; write `0 0 * * * *`", Marks),
    ('m', "Europe/Berlin", "Europe/Berln", "is not a time zone; did you mean `Europe/Berlin`?", Marks),
    ('m', "Europe/Berlin", "Berlin", "is not a time zone; did you mean `Europe/Berlin`?", Marks),
    ('m', "Europe/Berlin", "W. Europe Standard Time", "is not a time zone; write `Europe/Berlin`", Marks),
    ('m', "Europe/Berlin", "Z", "`Z` is not a time zone; write `UTC`", Marks),
    ('m', "Europe/Berlin", "GMT+1", "an offset does not follow daylight saving time", Marks),
    ('r', "within: 24h", "within: 24", "`24` is not a duration; write it like `24h`", Marks),
    ('r', "within: 24h", "within: 24 hours", "`24 hours` is not a duration; write it like `24h`", Marks),
    ('r', "within: 24h", "within: 2w", "`2w` is not a duration; write it like `14d`", Marks),
    ('m', "2027-03-01", "01.03.2027", "`01.03.2027` is not a day; write it like `2027-03-01`", Marks),
    (
        'm',
        "2027-03-01",
        "2025-03-01",
        "warning[credential-expired]: tenants[0].credential.expires: the secret expired on 2025-03-01",
        Silent,
    ),
    (
        'm',
        "spread: 10m",
        "spread: 30m",
        "warning[spread-longer-than-interval]: spread: tenants are checked over 30m",
        Silent,
    ),
    ('m', "timezone: Europe/Berlin\n", "", "warning[timezone-missing]", Silent),
    // Words.
    (
        'r',
        "score: device-secure-score",
        "score: device-secure-scores",
        "is not a score; did you mean `device-secure-score`?",
        Marks,
    ),
    (
        'r',
        "score: device-secure-score",
        "score: secureScore",
        "`secureScore` is not a score; did you mean `secure-score`?",
        Marks,
    ),
    ('r', "    score: device-secure-score\n", "", "`score` is missing; write `score: device-secure-score`", Silent),
    ('r', "severity: critical", "severity: Critical", "did you mean `critical`?", Marks),
    ('r', "severity: critical", "severity: crit", "did you mean `critical`?", Marks),
    ('r', "severity: critical", "severity: high", "did you mean `critical`?", Marks),
    ('m', "type: teams", "type: msteams", "did you mean `teams`?", Marks),
    ('m', "    labels:", "    region: europe\n    labels:", "`europe` is not known here; did you mean `eu`?", Marks),
    (
        'm',
        "    labels:",
        "    cloud: government\n    labels:",
        "`government` is not known here; use one of `commercial`",
        Marks,
    ),
    ('r', "notify: [soc]", "notify: [sco]", "channel `sco` is not defined; did you mean `soc`?", Silent),
    ('m', "notify: [soc, too]", "notify: [ops]", "channel `ops` is not defined; define it under `channels:`", Silent),
    // Shapes and sizes.
    (
        'r',
        "when: { below: 300 }",
        "when: below 300",
        "expected a mapping, found text; write `when: { below: 300 }`",
        Marks,
    ),
    (
        'r',
        "recover: { above: 320 }",
        "recover: 320",
        "expected a mapping, found a number; write `recover: { above: 320 }`",
        Marks,
    ),
    ('r', "notify: [soc]", "notify: soc", "expected a list, found text; write a list, like `notify: [soc]`", Marks),
    (
        'm',
        "rules: [rules.yaml]",
        "rules: rules.yaml",
        "expected a list, found text; write a list, like `rules: [rules.yaml]`",
        Marks,
    ),
    ('m', "tier: gold", "tier: 1", "a label's value is a text; put the value in quotes", Marks),
    ('r', "below: 300", "below: 30%", "`30%` is not a score; write the number alone: `30`", Marks),
    ('r', "drop: 5%", "drop: 5", "`5` has no unit; write `5%`", Marks),
    ('r', "drop: 5%", "drop: 5 %", "`5 %` is not a size; write `5%`", Marks),
    ('r', "drop: 5%", "drop: 5percent", "`5percent` is not a size; write `5%`", Marks),
    ('r', "drop: 5%", "drop: 20 points", "`20 points` is not a size; write `20pts`", Marks),
    ('r', "drop: 5%", "drop: -5%", "`-5%` is not a size; write `5%`", Marks),
    ('r', "drop: 5%", "drop: 0%", "`0%` is not a size; write one above zero", Silent),
    ('r', "{ drop: 5%, within: 24h }", "{ drop: 5% }", "`within` is missing; write `within: 24h`", Silent),
    ('r', "above: 320", "above: 280", "is on the wrong side of `below: 300`", Silent),
    ('r', "below: 300 }", "below: 300, above: 400 }", "a rule has exactly one condition", Marks),
    // Addresses and files.
    (
        'm',
        "sqlite://data/scorewatch.db",
        "data/scorewatch.db",
        "does not say what kind of store it is; write `sqlite://data/scorewatch.db`",
        Marks,
    ),
    (
        'm',
        "spread:",
        "listen: 8081\nspread:",
        "`8081` is not an address with a port; write it like `127.0.0.1:8081`",
        Marks,
    ),
    ('m', "spread:", "listen: ':8081'\nspread:", "write it like `127.0.0.1:8081`", Marks),
    ('m', "spread:", "listen: localhost:8081\nspread:", "write it like `127.0.0.1:8081`", Marks),
    (
        'm',
        "spread:",
        "listen: 0.0.0.0:8080\nspread:",
        "warning[listen-beyond-loopback]: listen: other machines can reach",
        Silent,
    ),
    ('m', "[rules.yaml]", "[rule.yaml]", "there is no file `rule.yaml`; did you mean `rules.yaml`?", Silent),
    ('m', "[rules.yaml]", "['rules/*.yaml']", "warning[pattern-matches-nothing]", Silent),
    (
        'm',
        "2f1c0a5e-0000-4000-8000-000000000001",
        "contoso.onmicrosoft.com",
        "`contoso.onmicrosoft.com` is a domain, not a GUID",
        Marks,
    ),
    ('m', "id: contoso", "id: Contoso Ltd", "'C' can't stand there in a name", Marks),
    ('m', "      client_id: 6d2a0000-0000-4000-8000-000000000001\n", "", "`client_id` is missing", Marks),
    (
        'm',
        "secret: { file: secrets/contoso }",
        "secret: kR8Q~abcDEF123456789-literal",
        "a secret stands here itself, not where it is kept",
        Marks,
    ),
    ('m', "secrets/contoso", "secrets/fabrikam", "file `secrets/fabrikam` does not exist", Silent),
    (
        'm',
        "https://soar.example/hook",
        "http://soar.example/hook",
        "channels.too.url: the channel's URL is refused: it must begin with `https://`",
        Silent,
    ),
    (
        'm',
        "type: teams",
        "type: slack",
        "it is a Teams webhook, and the channel is of type `slack`; write `type: teams`",
        Silent,
    ),
    // What is accepted and is probably not meant.
    (
        'm',
        "channels:",
        "channels:\n  spare: { type: webhook, url: https://spare.example/ }",
        "warning[channel-unused]: channels.spare: nothing is sent to channel `spare`",
        Silent,
    ),
    ('m', "notify: [soc, too]", "notify: [soc]", "warning[operator-has-one-channel]", Silent),
    ('m', "operator: { notify: [soc, too] }", "", "warning[operator-missing]", Silent),
    ('m', "rules: [rules.yaml]", "rules: []", "warning[no-rules]", Silent),
    (
        'r',
        "severity: critical",
        "tenants: { tier: platinum }",
        "warning[rule-selects-no-tenant]: tenants: rule `device-score-drop`",
        Silent,
    ),
    (
        'r',
        "score: device-secure-score",
        "score: secure-score",
        "warning[rule-score-not-polled]: score: rule `device-score-drop` can never fire: no tenant that it selects polls `secure-score`; add `secure-score` to `scores:`",
        Silent,
    ),
    (
        'r',
        "notify: [soc]",
        "notify: []",
        "warning[rule-notifies-nobody]: notify: rule `device-score-drop` notifies nobody",
        Silent,
    ),
    (
        'r',
        "when: { below: 300 }\n    recover: { above: 320 }",
        "when: { above: 300 }",
        "warning[good-news-rule]",
        Silent,
    ),
    (
        'r',
        "score: device-secure-score\n    when: { below: 300 }\n    recover: { above: 320 }",
        "score: secure-score\n    when: { below: 400 }",
        "warning[threshold-out-of-range]: rules[1].when.below: this always holds: `secure-score` lies between 0 and 100",
        Silent,
    ),
    (
        'r',
        "when: { below: 300 }\n    recover: { above: 320 }",
        "when: { below: 0 }",
        "warning[threshold-out-of-range]: rules[1].when.below: this never holds",
        Silent,
    ),
    (
        'r',
        "drop: 5%",
        "drop: 150%",
        "warning[change-out-of-range]: rules[0].when.drop: no score can drop by that much",
        Silent,
    ),
    (
        'm',
        "\"0 */15 * * * *\"",
        "\"0 */15 8-18 * * *\"",
        "warning[schedule-pauses]: no_data: the schedule `0 */15 8-18 * * *` pauses for 13h15m, longer than `no_data: 6h` of rule `blind`",
        Silent,
    ),
    (
        'm',
        "\"0 */15 * * * *\"",
        "\"0 0 8 1-7 * MON\"",
        "warning[schedule-either-day]: schedule: day of month `1-7` and day of week `MON` are both limited",
        Silent,
    ),
    (
        'm',
        "\"0 */15 * * * *\"",
        "\"0 */15 * ? * 2\"",
        "warning[schedule-quartz]: schedule: `?` is Quartz notation; here it means `*`, and weekday 2 is TUE",
        Silent,
    ),
    (
        'm',
        "url: https://soar.example/hook",
        "url: https://soar.example/hook, allow_private: [8.0.0.0/8]",
        "warning[allow-private-covers-public]: channels.too.allow_private[0]",
        Silent,
    ),
    (
        'm',
        "operator:",
        "maintenance: [{ name: patch, tenants: all, from: \"0 0 22 8-14 * TUE\", for: 8h }]\noperator:",
        "maintenance[0].from: day of month `8-14` and day of week `TUE` are both limited, and either one is enough; write `0 0 22 * * TUE#2` for the second TUE",
        Silent,
    ),
];

fn change(text: &str, file: char, (which, from, to, ..): &Mistake) -> String {
    assert!(file != *which || text.contains(from), "{from} is not in\n{text}");
    if file == *which { text.replacen(from, to, 1) } else { text.to_owned() }
}

/// What is said of these files.
fn say(folder: &Path, main: &str, rules: &str) -> String {
    fs::create_dir_all(folder.join("secrets")).unwrap();
    for (path, text) in [
        ("scorewatch.yaml", main),
        ("rules.yaml", rules),
        ("secrets/contoso", "abc8Q~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
        ("secrets/soc-teams", TEAMS),
    ] {
        fs::write(folder.join(path), text).unwrap();
        fs::set_permissions(folder.join(path), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let loaded = runtime.block_on(load(&folder.join("scorewatch.yaml")).with_secrets_tried());
    let loaded = loaded.with_world_judged(Timestamp::parse(NOW).unwrap());
    render::terminal(&loaded.problems, &loaded.excerpts, false)
}

#[test]
fn the_first_configuration_has_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(say(folder.path(), MAIN, RULES), "0 problems in 0 files");
    assert_eq!(schema::refusal(Subject::Main, MAIN), None);
    assert_eq!(schema::refusal(Subject::Rules, RULES), None);
}

#[test]
fn each_mistake_is_named_once_and_nothing_that_follows_from_it() {
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        let folder = tempfile::tempdir().unwrap();
        let text = say(folder.path(), &change(MAIN, 'm', mistake), &change(RULES, 'r', mistake));
        // An error suppresses what may follow from it; a warning may come with others.
        let is_alone = !text.contains(": error: ") || text.ends_with("1 problem in 1 file");
        if !text.contains(mistake.3) || !is_alone || text.contains("literal") {
            missed.push(format!("`{}` → `{}`: `{}` is not all of\n{text}", mistake.1, mistake.2, mistake.3));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn an_editor_marks_what_the_schema_can_know() {
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        let (subject, text) = match mistake.0 {
            'm' => (Subject::Main, change(MAIN, 'm', mistake)),
            _ => (Subject::Rules, change(RULES, 'r', mistake)),
        };
        let is_marked = schema::refusal(subject, &text).is_some();
        if schema::is_yaml(&text) && is_marked != (mistake.4 == Marks) {
            missed.push(format!("`{}` → `{}`: marked: {is_marked}", mistake.1, mistake.2));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_comment_switches_a_warning_off_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let spare = "channels:\n  spare: { type: webhook, url: https://spare.example/ }";
    for (written, is_reported) in [
        (spare.to_owned(), true),
        (format!("{spare} # scorewatch: allow(channel-unused)"), false),
        (spare.replace('\n', "\n  # scorewatch: allow(channel-unused)\n"), false),
        (format!("{spare} # scorewatch: allow(no-rules)"), true),
    ] {
        let text = say(folder.path(), &MAIN.replace("channels:", &written), RULES);
        assert_eq!(text.contains("warning[channel-unused]"), is_reported, "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| {
        let loaded = load(path);
        render::terminal(&loaded.problems, &loaded.excerpts, false)
    };
    let text = said(&folder.path().join("scorewach.yaml"));
    assert!(
        text.contains("error: there is no such file; create it, or name another file with `--config FILE`"),
        "{text}"
    );
    let text = said(folder.path());
    assert!(text.contains("error: this is a folder, not a file; name the file that is in it"), "{text}");
    let path = folder.path().join("scorewatch.yaml");
    fs::write(&path, b"\xff\xfes\0t\0").unwrap();
    assert!(said(&path).contains("error: the file is UTF-16, not UTF-8; save it as UTF-8"), "{}", said(&path));
}
