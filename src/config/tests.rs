//! What a configuration promises its author: everything wrong is told, with its place, and no secret ever.

use std::{fs, path::Path};

use super::{Loaded, load};
use crate::diagnostic::render;

const MAIN: &str = r#"
store: sqlite://data/scorewatch.db
schedule: "0 */15 * * * *"
timezone: Europe/Berlin
scores: [device-secure-score]
rules: [rules/*.yaml]
tenants: [tenants/*.yaml]
channels:
  soc-teams: { type: teams, url: { file: secret } }
  contoso: { type: slack, url: { file: secret }, tenants: [contoso] }
  soar: { type: webhook, url: https://soar.example/hook, signing_secret: { file: secret } }
operator: { notify: [soc-teams, soar] }
"#;
const TENANT: &str = "
id: contoso
name: Contoso Ltd
tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
region: eu
credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: ../secret }, expires: 2027-03-01 }
labels: { tier: gold, country: de }
notify: [contoso]
";
const RULES: &str = "
rules:
  - name: device-score-low
    score: device-secure-score
    tenants: { tier: gold }
    when: { below: 300 }
    recover: { above: 320 }
    for: 1h
    notify: [soc-teams]
  - { name: drop, score: device-secure-score, when: { drop: 5%, within: 24h }, severity: critical, notify: [soc-teams] }
  - { name: blind, when: { no_data: 6h }, notify: [soc-teams] }
";

fn read(main: &str, tenant: &str, rules: &str) -> (Loaded, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("secret", "hunter2\n");
    write("scorewatch.yaml", main);
    write("tenants/contoso.yaml", tenant);
    write("rules/all.yaml", rules);
    let loaded = load(&folder.path().join("scorewatch.yaml"));
    let text = render::terminal(&loaded.problems, &loaded.excerpts, false)
        .replace(&format!("{}/", folder.path().display()), "");
    (loaded, text)
}

#[test]
fn the_documented_configuration_loads_and_prints_no_secret() {
    let (loaded, text) = read(MAIN, TENANT, RULES);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(loaded.problems, []);
    assert_eq!((config.tenants.len(), config.rules.len(), config.channels.len()), (1, 3, 3));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn every_mistake_is_told_at_its_place() {
    for (main, tenant, rules, told) in [
        (
            MAIN,
            TENANT,
            RULES.replace("drop: 5%", "drop: 5"),
            "rules/all.yaml:10:61: error: rules[1].when.drop: `5` has no unit",
        ),
        (MAIN, TENANT, RULES.replace("above: 320", "above: 250"), "rules/all.yaml:7:14: error"),
        (MAIN, TENANT, RULES.replace("severity", "severty"), "did you mean `severity`?"),
        (MAIN, TENANT, RULES.replace("[soc-teams]", "[contoso, soc-temas]"), "did you mean `soc-teams`?"),
        (
            &MAIN.replace("Berlin", "Berln"),
            TENANT,
            RULES.to_owned(),
            "scorewatch.yaml:4:11: error: timezone: `Europe/Berln` is no time zone; did you mean",
        ),
        (
            &MAIN.replace("tenants: [contoso]", "tenants: [fabrikam]"),
            TENANT,
            RULES.to_owned(),
            "may not show tenant `contoso`",
        ),
        (&MAIN.replace("[soc-teams, soar]", "[contoso]"), TENANT, RULES.to_owned(), "the operator hears of all"),
        (MAIN, &TENANT.replace("{ file: ../secret }", "s3cr3t"), RULES.to_owned(), "write `{ file: PATH }`"),
        (MAIN, &TENANT.replace("../secret", "../absent"), RULES.to_owned(), "does not exist"),
        (
            MAIN,
            &format!("{TENANT}id: again"),
            RULES.to_owned(),
            "tenants/contoso.yaml:9:1: error: `id` stands here a second time",
        ),
        (MAIN, &"[".repeat(1_000_000), RULES.to_owned(), "recursion limit exceeded"),
        (MAIN, &format!("{}{}", "[".repeat(100), "]".repeat(100)), RULES.to_owned(), "nested more than 64 deep"),
        (MAIN, "", RULES.to_owned(), "the file is empty"),
    ] {
        let (loaded, text) = read(main, tenant, &rules);
        assert!(loaded.config.is_none() && text.contains(told), "{told} is not in\n{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    assert_eq!(load(Path::new("/no/such/scorewatch.yaml")).problems.len(), 1);
}
