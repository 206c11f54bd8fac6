//! The mistakes that people make in a first configuration: each is one edit of it, with the words that are said of it, and whether
//! an editor that knows the JSON Schema marks it, too.

mod causes;
mod habits;
mod overlooked;
pub(super) mod schema;
mod table;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use self::{
    causes::CAUSES,
    habits::HABITS,
    overlooked::OVERLOOKED,
    table::{Editor, MISTAKES, Mistake},
};
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
const TEAMS: &str = "https://prod-11.westeurope.logic.azure.com/workflows/0f/triggers/manual/paths/invoke?api-version=1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const NOW: &str = "2026-11-30T12:00:00Z";

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
    for mistake in MISTAKES.iter().chain(HABITS).chain(CAUSES).chain(OVERLOOKED) {
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
fn an_unknown_key_explains_one_missing_key_and_hides_no_other() {
    let id = "    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001\n";
    for (main, said) in [
        (
            MAIN.replace("- id: contoso", "- handle: contoso").replace(id, ""),
            ["unknown key `handle`", "`tenant_id` is missing"],
        ),
        (
            MAIN.replace("- id: contoso", "- slug: contoso").replace(id, ""),
            ["did you mean `id`?", "`tenant_id` is missing"],
        ),
        (
            MAIN.replace("client_id: 6d2a", "clientid: 6d2a").replace("      secret: { file: secrets/contoso }\n", ""),
            ["did you mean `client_id`?", "the app has nothing to prove itself with"],
        ),
        (
            MAIN.replace("type: teams, url: { file: secrets/soc-teams }", "typ: teams"),
            ["did you mean `type`?", "1 problem in 1 file"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = say(folder.path(), &main, RULES);
        let is_all =
            text.matches(": error: ").count() == said.iter().filter(|part| !part.contains("problem in")).count();
        assert!(is_all && said.iter().all(|part| text.contains(part)), "{said:?} is not all of\n{text}");
    }
}

#[test]
fn the_operators_channels_are_one_if_their_secrets_hold_one_url() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("secrets/other");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    let main =
        MAIN.replace("type: webhook, url: https://soar.example/hook", "type: teams, url: { file: secrets/other }");
    for (url, is_one) in [(TEAMS.to_owned(), true), (TEAMS.replace("/0f/", "/1f/"), false)] {
        fs::write(&other, url).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        let text = say(folder.path(), &main, RULES);
        let said = "warning[operator-has-one-channel]: operator.notify: channels `soc` and `too` send to one receiver";
        assert_eq!(text.contains(said), is_one, "{text}");
        assert_eq!(text.ends_with("1 problem in 1 file"), is_one, "{text}");
    }
}

#[test]
fn a_rule_that_notifies_one_receiver_by_two_channels_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let twice = RULES.replacen("notify: [soc]", "notify: [soc, too]", 1);
    for (also, is_one) in [
        ("type: teams, url: { file: secrets/soc-teams }", true),
        ("type: webhook, url: https://soar.example/hook", false),
    ] {
        let text = say(folder.path(), &MAIN.replace("type: webhook, url: https://soar.example/hook", also), &twice);
        let said = "warning[rule-notifies-receiver-twice]: notify: rule `device-score-drop` notifies one receiver twice, by channels `soc` and `too`";
        assert_eq!(text.contains(said), is_one, "{text}");
    }
}

#[test]
fn an_editor_marks_every_mistake_unless_a_schema_can_not_know_of_it() {
    let mut missed = Vec::new();
    for mistake in MISTAKES.iter().chain(HABITS).chain(CAUSES).chain(OVERLOOKED) {
        let (subject, text) = match mistake.0 {
            'm' => (Subject::Main, change(MAIN, 'm', mistake)),
            _ => (Subject::Rules, change(RULES, 'r', mistake)),
        };
        let refusal = schema::refusal(subject, &text);
        let is_right = match mistake.4 {
            Editor::Marks => refusal.is_some(),
            Editor::NotYaml => !schema::is_yaml(&text),
            Editor::MayBeMeant => refusal.is_none() && schema::is_yaml(&text) && mistake.3.contains("warning["),
            Editor::Twice | Editor::Elsewhere | Editor::OnDisk | Editor::Compares | Editor::Intricate => {
                refusal.is_none() && schema::is_yaml(&text)
            }
        };
        if !is_right {
            missed.push(format!("`{}` → `{}`: not {:?}: {refusal:?}", mistake.1, mistake.2, mistake.4));
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
fn a_warning_about_a_schedule_is_switched_off_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    for (schedule, name) in
        [("* */15 * * * *", "schedule-every-second"), ("0 */70 * * * *", "schedule-step-beyond-field")]
    {
        let main = MAIN.replace("0 */15 * * * *", schedule);
        let text = say(folder.path(), &main, RULES);
        assert!(text.contains(&format!("warning[{name}]")) && text.ends_with("1 problem in 1 file"), "{text}");
        let allowed = main.replace("# every 15 minutes", &format!("# scorewatch: allow({name})"));
        assert_eq!(say(folder.path(), &allowed, RULES), "0 problems in 0 files");
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_the_only_thing_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let tenants = &MAIN[MAIN.find("tenants:").unwrap()..MAIN.find("channels:").unwrap()];
    for main in [MAIN.replace(tenants, "tenants: [tenant/*.yaml]\n"), MAIN.replace("[rules.yaml]", "['rule/*.yaml']")] {
        let text = say(folder.path(), &main, RULES);
        let is_alone = !text.contains("[no-tenants]") && !text.contains("[no-rules]");
        assert!(text.contains("warning[pattern-matches-nothing]") && is_alone, "{text}");
    }
}

#[test]
fn a_tenants_file_that_begins_like_the_main_file_says_what_to_delete() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f.yaml"), "tenants:\n  - id: fabrikam\n    tenant_id: x\n").unwrap();
    let text = say(folder.path(), &MAIN.replace("tenants:\n", "tenants:\n  - f.yaml\n"), RULES);
    let said = "unknown key `tenants`; delete `tenants:` and the dash below it: a tenant's file begins with `id:`";
    assert!(text.contains(said) && text.ends_with("1 problem in 1 file"), "{text}");
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = "id: fabrikam\nname: Fabrikam\ntenant_id: 2f1c0a5e-0000-4000-8000-000000000002\n\
        credential: { client_id: 6d2a0000-0000-4000-8000-000000000001, secret: { file: secrets/contoso }, expires: 2027-03-01 }\n";
    fs::write(folder.path().join("fabrikam.yaml"), tenant).unwrap();
    let main = MAIN
        .replace("[rules.yaml]", "[rules.yaml, ./rules.yaml, 'rule*.yaml']")
        .replace("tenants:\n", "tenants:\n  - fabrikam.yaml\n  - fabrikam.yaml\n  - 'fab*.yaml'\n");
    assert_eq!(say(folder.path(), &main, RULES), "0 problems in 0 files");
    let config = load(&folder.path().join("scorewatch.yaml")).config.unwrap();
    assert_eq!((config.tenants.len(), config.rules.len()), (2, 3));
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
        text.contains("error: there is no such file; run `scorewatch init` to write one, or name another file with `--config FILE`"),
        "{text}"
    );
    let text = said(folder.path());
    assert!(text.contains("error: this is a folder, not a file; name the file that is in it"), "{text}");
    let path = folder.path().join("scorewatch.yaml");
    fs::write(&path, b"\xff\xfes\0t\0").unwrap();
    assert!(said(&path).contains("error: the file is UTF-16, not UTF-8; save it as UTF-8"), "{}", said(&path));
}

#[test]
fn an_advised_recovery_is_one_that_loads() {
    for (when, recover) in [
        ("{ below: 547 }", "{ below: 500 }"),
        ("{ below: 300 }", "{ regained: 80% }"),
        ("{ below: 0.5 }", "{ below: 1 }"),
        ("{ above: 40 }", "{ above: 45 }"),
        ("{ above: 1200.5 }", "{ regained: 50% }"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rule = |recover: &str| {
            RULES.replace("when: { below: 300 }\n    recover: { above: 320 }", &format!("when: {when}\n    {recover}"))
        };
        let text = say(folder.path(), MAIN, &rule(&format!("recover: {recover}")));
        let (_, advice) = text.split_once("this can't be the recovery of").unwrap();
        let advised = advice.split('`').find(|part| part.starts_with("recover: {")).unwrap();
        let text = say(folder.path(), MAIN, &rule(advised));
        assert!(!text.contains("recover"), "{when}: {advised}: {text}");
    }
}
