//! What is left of a configuration that is rejected, for whoever has to acknowledge an alert while somebody edits the files.

use super::{MAIN, RULES, TENANT, lay_out};
use crate::config::{StoreLocation, load, load_leniently};

/// The ids of tenants, the names of rules and of channels that are left; `None`: not even the store is known.
fn left(main: &str, tenant: &str, rules: &str) -> Option<[String; 3]> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), main.as_bytes(), tenant.as_bytes(), rules.as_bytes());
    let file = folder.path().join("scorewatch.yaml");
    assert!(load(&file).config.is_none(), "it is rejected");
    let config = load_leniently(&file)?;
    let StoreLocation::Sqlite(store) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!(store, &folder.path().join("data/scorewatch.db"));
    let joined = |names: Vec<String>| names.join(" ");
    Some([
        joined(config.tenants.keys().map(ToString::to_string).collect()),
        joined(config.rules.iter().map(|rule| rule.name.to_string()).collect()),
        joined(config.channels.keys().map(ToString::to_string).collect()),
    ])
}

#[test]
fn what_can_be_read_of_a_rejected_configuration_are_whole_things() {
    let (all_rules, all_channels) = ("device-score-low drop blind", "contoso soar soc-teams");
    let of_main = |from: &str, to: &str| (MAIN.replace(from, to), TENANT.to_owned(), RULES.to_owned());
    let of_tenant = |from: &str, to: &str| (MAIN.to_owned(), TENANT.replace(from, to), RULES.to_owned());
    let of_rules = |from: &str, to: &str| (MAIN.to_owned(), TENANT.to_owned(), RULES.replace(from, to));
    for ((main, tenant, rules), expected) in [
        (of_main("schedule:", "shedule:"), ["contoso", all_rules, all_channels]),
        (of_main("*/15", "*/x"), ["contoso", all_rules, all_channels]),
        (of_main("Europe/Berlin", "\"Europe/Berlin"), ["contoso", all_rules, all_channels]),
        (of_main("operator: {", "operator: {{"), ["contoso", all_rules, all_channels]),
        (of_main("scores:", "templates: nowhere/\nscores:"), ["contoso", all_rules, all_channels]),
        // A channel with an error might show other tenants.
        (of_main("tenants: [contoso] }", "tenant: [contoso] }"), ["contoso", all_rules, "soar soc-teams"]),
        (of_main("url: { file: contoso-url }", "url: { file: contoso-url"), ["contoso", all_rules, "soar soc-teams"]),
        // Nothing signs in with it here.
        (of_tenant("client_id: 6d2a", "client_id: x"), ["contoso", all_rules, all_channels]),
        // A tenant without its labels would be another one for rules.
        (of_tenant("labels:", "lables:"), ["", all_rules, all_channels]),
        (of_tenant("name: Contoso Ltd", "name: \"Contoso Ltd"), ["", all_rules, all_channels]),
        (of_rules("recover:", "recovr:"), ["contoso", "drop blind", all_channels]),
        (of_rules("when: { drop: 5%", "when: { drop: 5"), ["contoso", "device-score-low blind", all_channels]),
        (of_rules("when: { no_data: 6h }", "when: { no_data: 6h"), ["contoso", "device-score-low drop", all_channels]),
    ] {
        assert_eq!(left(&main, &tenant, &rules), Some(expected.map(str::to_owned)), "{main}{tenant}{rules}");
    }
    let unknown_store = MAIN.replace("store: sqlite://data/scorewatch.db", "store: sqlite//data/scorewatch.db");
    assert_eq!(left(&unknown_store, TENANT, RULES), None);
    assert_eq!(left(&MAIN.replace("store: sqlite", "store: \"sqlite"), TENANT, RULES), None);
}
