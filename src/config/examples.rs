//! What may stand under a key, for people who wrote something of another shape there.

/// Keys of the configuration, each with a value that may stand there.
const EXAMPLES: &[(&str, &str)] = &[
    ("channels", "{ soc: { type: teams, url: { file: secrets/soc } } }"),
    ("credential", "{ client_id: …, secret: { file: secrets/contoso } }"),
    ("digest", "{ over: 20 }"),
    ("fleet", "{ hold: 10m }"),
    ("flapping", "{ changes: 6, within: 24h }"),
    ("labels", "{ tier: gold }"),
    ("notify", "[soc]"),
    ("operator", "{ notify: [soc] }"),
    ("recover", "{ above: 320 }"),
    ("report", "weekly"),
    ("retry", "{ first: 2s, max: 15m, give_up: 24h }"),
    ("scores", "[device-secure-score]"),
    ("severity", "critical"),
    ("spread", "10m"),
    ("timezone", "Europe/Berlin"),
    ("to", "[soc@mssp.example]"),
    ("when", "{ below: 300 }"),
];

/// What to do about a value of the wrong shape.
const SHAPE: &str = "see the example in the documentation, or `scorewatch schema`";

/// What to do about a value of the wrong shape under that path: an example, if there is one of that shape.
pub(super) fn instead(path: &str, expects_list: bool) -> String {
    let key = path.rsplit('.').next().unwrap_or_default();
    let of_key = EXAMPLES.iter().find(|(known, _)| *known == key).map(|(_, example)| *example);
    // Two keys have other values in other files.
    let example = match (path, expects_list) {
        ("rules", true) => Some("[rules.yaml]"),
        ("tenants", true) => Some("[tenants/*.yaml]"),
        (_, false) if key == "tenants" && path.starts_with("rules[") => Some("{ tier: gold }"),
        _ => of_key.filter(|example| example.starts_with('[') == expects_list),
    };
    match example {
        Some(example) if expects_list => format!("write a list, like `{key}: {example}`"),
        Some(example) => format!("write `{key}: {example}`"),
        None if expects_list => "write a list: `[one, two]`".to_owned(),
        None => SHAPE.to_owned(),
    }
}
