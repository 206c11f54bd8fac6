//! What may stand under a key, for people who wrote nothing there, or something of another shape.

/// A value of the wrong shape. Never holds the value, which may be a secret in the wrong place.
#[derive(Debug, Clone)]
pub(super) struct Misfit {
    pub(super) what: String,
    /// Whether there is no value at all.
    pub(super) is_nothing: bool,
    /// Whether a list or mapping stands there.
    pub(super) is_collection: bool,
    /// Whether a list is expected.
    pub(super) expects_list: bool,
    /// The condition that the text begins with, where a text stands.
    pub(super) condition: Option<&'static str>,
    /// What is disguised in the text, where a text stands: what is wrong, and what to do.
    pub(super) disguised: Option<(String, &'static str)>,
}

/// Keys of the configuration, each with a value that may stand there. Where one means several things, the keys before
/// it say which, and it comes first; `*` is a key that people choose.
const EXAMPLES: &[(&str, &str)] = &[
    ("channels.*.tenants", "[contoso]"),
    ("channels.*", "{ type: teams, url: { file: secrets/soc } }"),
    ("secret_stores.*.type", "vault"),
    ("secret_stores.*", "{ type: vault, address: https://vault.mssp.example:8200, token: { file: secrets/vault } }"),
    ("secret.credential", "contoso-secret"),
    ("url.credential", "soc-url"),
    ("secret.name", "contoso"),
    ("url.name", "soc-url"),
    ("labels.*", "gold"),
    ("client_secret", "{ file: secrets/oidc }"),
    ("groups_claim", "groups"),
    ("scopes", "[profile, email]"),
    ("group", "2f1c0a5e-0000-4000-8000-0000000000ab"),
    ("app_role", "analyst"),
    ("anyone", "true"),
    ("role", "analyst"),
    ("grants.tenants", "all"),
    ("grants", "[{ group: 2f1c0a5e-0000-4000-8000-0000000000ab, role: analyst, tenants: all }]"),
    ("issuer", "https://login.microsoftonline.com/2f1c0a5e-0000-4000-8000-000000000001/v2.0"),
    (
        "oidc",
        "{ issuer: https://login.example, client_id: scorewatch, grants: [{ group: soc, role: analyst, tenants: all }] }",
    ),
    ("sign_in", "always"),
    ("hosts", "[scores.mssp.example]"),
    ("trusted_proxies", "[10.1.2.3]"),
    ("access", "{ hosts: [scores.mssp.example] }"),
    ("brand.name", "Fabrikam Security"),
    ("store.tls", "verify-full"),
    ("rules.name", "device-score-low"),
    ("rules.tenants", "{ tier: gold }"),
    ("maintenance.name", "patch-night"),
    ("maintenance.from", "\"0 0 22 * * FRI\""),
    ("maintenance.until", "\"0 0 6 * * MON\""),
    ("maintenance.for", "6h"),
    ("maintenance.tenants", "all"),
    ("maintenance.rules", "device-score-low"),
    ("maintenance.scores", "device-secure-score"),
    ("exclude.tenants", "all"),
    ("exclude.until", "2027-03-01"),
    ("reason", "Okta enforces MFA"),
    ("tests.name", "a drop is reported"),
    ("tests.tenants", "[{ id: contoso, series: \"400 340\" }]"),
    ("tenants.scores", "[device-secure-score]"),
    ("silences.tenants", "all"),
    ("silences.rules", "device-score-low"),
    ("silences.scores", "device-secure-score"),
    ("silences.from", "08:30"),
    ("silences.until", "12:00"),
    ("silences.for", "2h"),
    ("expect.type", "alert.firing"),
    ("escalate.after", "30m"),
    ("escalate.notify", "[on-call]"),
    ("escalate", "{ after: 30m, notify: [on-call] }"),
    ("report.month", "\"0 0 8 1 * *\""),
    ("report.at", "\"0 0 8 * * MON\""),
    ("expect.at", "2h15m"),
    ("when.from", "best"),
    ("recover.below", "30"),
    ("first", "2s"),
    ("max", "15m"),
    ("flapping.within", "24h"),
    ("rules", "[rules.yaml]"),
    ("metrics.tenants", "true"),
    ("metrics", "{ tenants: true }"),
    ("tenants", "[tenants/*.yaml]"),
    ("controls", "[AdminMFAV2]"),
    ("exclude", "[{ controls: [AdminMFAV2], tenants: all, reason: Okta enforces MFA, until: 2027-03-01 }]"),
    ("month", "\"0 0 8 1 * *\""),
    ("about", "Devices have lost protection."),
    ("above", "320"),
    ("accept", "proven"),
    ("accept_after", "7d"),
    ("address", "https://vault.mssp.example:8200"),
    ("allow_private", "[10.0.0.0/8]"),
    ("at_least", "10"),
    ("bearer_token", "{ file: secrets/token }"),
    ("below", "300"),
    ("blind_after", "2h"),
    ("brand", "{ name: Fabrikam Security }"),
    ("ca", "secrets/ca.pem"),
    ("certificate", "{ file: secrets/contoso.pem }"),
    ("certificate_password", "{ file: secrets/contoso-password }"),
    ("changes", "6"),
    ("channel", "soc"),
    ("channels", "{ soc: { type: teams, url: { file: secrets/soc } } }"),
    ("client_id", "6d2a0000-0000-4000-8000-000000000001"),
    ("cloud", "commercial"),
    ("color", "\"#0b5fff\""),
    ("concurrency", "256"),
    ("credential", "{ client_id: …, secret: { file: secrets/contoso } }"),
    ("defender", "https://defender.example"),
    ("digest", "{ over: 20 }"),
    ("drill", "30d"),
    ("drop", "5%"),
    ("endpoints", "{ login: https://login.example }"),
    ("env", "CONTOSO_SECRET"),
    ("every", "15m"),
    ("exec", "[./get-secret, contoso]"),
    ("expect", "[{ at: 2h15m, type: alert.firing }]"),
    ("expires", "2027-03-01"),
    ("federated_token", "{ file: /var/run/secrets/token }"),
    ("field", "value"),
    ("file", "secrets/contoso"),
    ("flapping", "{ changes: 6, within: 24h }"),
    ("fleet", "{ hold: 10m }"),
    ("for", "1h"),
    ("from", "Scorewatch <scores@mssp.example>"),
    ("give_up", "24h"),
    ("good_news", "true"),
    ("graph", "https://graph.example"),
    ("history", "\"400 398\""),
    ("hold", "10m"),
    ("id", "contoso"),
    ("labels", "{ tier: gold }"),
    ("language", "en"),
    ("listen", "127.0.0.1:8080"),
    ("login", "https://login.example"),
    ("maintenance", "[{ name: patch-night, tenants: all, from: \"0 0 22 * * FRI\", for: 6h }]"),
    ("mount", "secret"),
    ("name", "Contoso Ltd"),
    ("namespace", "mssp"),
    ("no_data", "6h"),
    ("notify", "[soc]"),
    ("operator", "{ notify: [soc] }"),
    ("over", "20"),
    ("pace", "1s"),
    ("password", "{ file: secrets/password }"),
    ("path", "tenants/contoso"),
    ("postgres", "postgres://scorewatch@db.example/scorewatch"),
    ("public_url", "https://scores.mssp.example"),
    ("quiet_until", "12h"),
    ("recover", "{ above: 320 }"),
    ("regained", "80%"),
    ("region", "eu"),
    ("repeat", "24h"),
    ("report", "weekly"),
    ("retention", "400d"),
    ("retry", "{ first: 2s, max: 15m, give_up: 24h }"),
    ("rise", "5%"),
    ("role_id", "scorewatch"),
    ("routing_key", "{ file: secrets/pagerduty }"),
    ("rule", "device-score-low"),
    ("runbook", "https://wiki.mssp.example/scores"),
    ("schedule", "\"0 */15 * * * *\""),
    ("score", "device-secure-score"),
    ("scores", "[device-secure-score]"),
    ("secret", "{ file: secrets/contoso }"),
    ("secret_id", "{ file: secrets/vault }"),
    (
        "secret_stores",
        "{ vault: { type: vault, address: https://vault.mssp.example:8200, token: { file: secrets/vault } } }",
    ),
    ("series", "\"400 340\""),
    ("server", "smtps://smtp.example"),
    ("severity", "critical"),
    ("share", "33%"),
    ("show", "[labels]"),
    ("signing_secret", "{ file: secrets/signing }"),
    ("silences", "[{ tenants: all, for: 2h }]"),
    ("spread", "10m"),
    ("start", "2026-01-05T00:00:00Z"),
    ("step", "5%"),
    ("store", "sqlite://data/scorewatch.db"),
    ("strict", "true"),
    ("subject", "Servers"),
    ("template", "teams-short"),
    ("templates", "templates"),
    ("tenant", "contoso"),
    ("tenant_channels", "off"),
    ("tenant_id", "2f1c0a5e-0000-4000-8000-000000000001"),
    ("tests", "[{ name: a drop is reported, tenants: […], expect: […] }]"),
    ("text", "dropped"),
    ("timeout", "30s"),
    ("timezone", "Europe/Berlin"),
    ("tls", "none"),
    ("to", "[soc@mssp.example]"),
    ("token", "{ file: secrets/vault }"),
    ("type", "teams"),
    ("until", "12h"),
    ("url", "{ file: secrets/soc }"),
    ("username", "scorewatch"),
    ("version", "0123456789abcdef0123456789abcdef"),
    ("when", "{ below: 300 }"),
    ("within", "24h"),
];

/// Conditions, each as it stands under `when:` or `recover:`.
const CONDITIONS: &[(&str, &str)] = &[
    ("below", "{ below: 300 }"),
    ("above", "{ above: 320 }"),
    ("drop", "{ drop: 5%, within: 24h }"),
    ("rise", "{ rise: 5%, within: 24h }"),
    ("no_data", "{ no_data: 6h }"),
    ("regained", "{ regained: 80% }"),
];

/// Keys that people look for where they are not: the key, one beside which it was written, and what to do instead.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("channel", "type", "delete it: the webhook's address decides which channel it is"),
    ("headers", "signing_secret", "delete it: a receiver verifies `signing_secret: { file: PATH }`"),
    ("method", "signing_secret", "delete it: a webhook is always a POST"),
    ("port", "server", "delete it, and write the port into the address: `server: smtps://smtp.example:465`"),
    ("report", "store", "write `report: weekly` in a channel"),
    ("reports", "store", "write `report: weekly` in a channel"),
    ("silence", "store", "make one with `scorewatch silences add`, or write `maintenance:` for times that come round"),
    ("silences", "store", "make one with `scorewatch silences add`, or write `maintenance:` for times that come round"),
    ("tenants", "tenant_id", "delete `tenants:` and the dash below it: a tenant's file begins with `id:`"),
    ("token", "bearer_token", "did you mean `bearer_token`?"),
    ("token", "url", "delete it: messages go to the address of a webhook, `url: { file: PATH }`"),
];

/// What to do about an unknown key that belongs elsewhere.
pub(super) fn elsewhere(key: &str, known: &[&str]) -> Option<&'static str> {
    let found = ELSEWHERE.iter().find(|(other, beside, _)| *other == key && known.contains(beside));
    found.map(|(.., instead)| *instead)
}

/// What to do about a value of the wrong shape.
const SHAPE: &str = "see the example in the documentation, or `scorewatch schema`";

/// The condition that a text begins with, where a mapping belongs.
pub(super) fn condition(text: &str) -> Option<&'static str> {
    let word = text.split(|letter: char| !letter.is_ascii_alphabetic() && letter != '_').next();
    CONDITIONS.iter().map(|(condition, _)| *condition).find(|condition| Some(*condition) == word)
}

/// What to do about a missing value or one of the wrong shape under that path: an example, if there is one of that shape.
pub(super) fn instead(path: &str, misfit: &Misfit) -> String {
    let key = path.rsplit('.').next().unwrap_or_default();
    let of_condition = misfit.condition.filter(|condition| match key {
        "when" => *condition != "regained",
        "recover" => ["above", "below", "regained"].contains(condition),
        _ => false,
    });
    if let Some((_, example)) = CONDITIONS.iter().find(|(condition, _)| Some(*condition) == of_condition) {
        return format!("write `{key}: {example}`");
    }
    if key == "tenants" && ["maintenance[", "silences["].iter().any(|list| path.contains(list)) {
        return "write `tenants: all`, `tenants: [contoso]` or `tenants: { tier: gold }`".to_owned();
    }
    if key == "tenants" && path.starts_with("rules[") {
        return "write labels of tenants, like `tenants: { tier: gold }`; without `tenants`, a rule applies to all"
            .to_owned();
    }
    let fits = |example: &&str| misfit.is_nothing || example.starts_with('[') == misfit.expects_list;
    match example(path).filter(fits) {
        Some(example) if misfit.expects_list => format!("write a list, like `{key}: {example}`"),
        Some(example) => format!("write `{key}: {example}`"),
        None if misfit.expects_list => "write a list: `[one, two]`".to_owned(),
        None => SHAPE.to_owned(),
    }
}

/// A value that may stand under that path.
fn example(path: &str) -> Option<&'static str> {
    // An item of a list is of another shape than the list.
    if path.ends_with(']') {
        return None;
    }
    let keys: Vec<&str> = path.split('.').map(|key| key.split('[').next().unwrap_or_default()).collect();
    let is_of = |pattern: &str| {
        let mut keys = keys.iter().rev();
        pattern.rsplit('.').all(|part| keys.next().is_some_and(|key| part == "*" || part == *key))
    };
    EXAMPLES.iter().find(|(pattern, _)| is_of(pattern)).map(|(_, example)| *example)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{channel, raw};

    #[test]
    fn each_key_has_an_example() {
        let keys = [
            raw::RawMain::KEYS,
            raw::RawAccess::KEYS,
            raw::RawOidc::KEYS,
            raw::RawGrant::KEYS,
            raw::RawBrand::KEYS,
            raw::RawTenant::KEYS,
            raw::RawCredential::KEYS,
            raw::RawDatabase::KEYS,
            raw::RawEndpoints::KEYS,
            raw::RawExclusion::KEYS,
            raw::RawFleet::KEYS,
            raw::RawFlapping::KEYS,
            raw::RawMaintenance::KEYS,
            raw::RawMetrics::KEYS,
            raw::RawOperator::KEYS,
            raw::RawReference::KEYS,
            raw::RawReportAt::KEYS,
            raw::RawSecretStore::KEYS,
            raw::RawRule::KEYS,
            raw::RawCondition::KEYS,
            raw::RawRecover::KEYS,
            raw::RawRetry::KEYS,
            raw::RawDigest::KEYS,
            raw::RawSuite::KEYS,
            raw::RawCase::KEYS,
            raw::RawSilence::KEYS,
            raw::RawExpected::KEYS,
            &channel::keys(),
        ];
        let keys = keys.iter().flat_map(|keys| keys.iter()).map(|key| key.trim_start_matches("r#"));
        let lacking: Vec<&str> = keys.filter(|key| *key != "at" && example(key).is_none()).collect();
        assert!(lacking.is_empty(), "no example for {lacking:?}");
    }

    #[test]
    fn a_key_that_means_several_things_has_an_example_for_each() {
        for (path, value) in [
            ("name", Some("Contoso Ltd")),
            ("rules[1].name", Some("device-score-low")),
            ("maintenance[0].from", Some("\"0 0 22 * * FRI\"")),
            ("rules[0].when.from", Some("best")),
            ("channels.mail.from", Some("Scorewatch <scores@mssp.example>")),
            ("channels.soc", Some("{ type: teams, url: { file: secrets/soc } }")),
            ("tenants[0].labels.tier", Some("gold")),
            ("rules[0].tenants", Some("{ tier: gold }")),
            ("tenants", Some("[tenants/*.yaml]")),
            ("rules[0]", None),
        ] {
            assert_eq!(example(path), value, "{path}");
        }
    }
}
