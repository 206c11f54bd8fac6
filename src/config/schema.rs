//! JSON Schemas of the configuration, which give completion in editors.

use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};

use super::raw::{RawMain, RawRules, RawSuite, RawTenant};

/// The kinds of configuration file that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The main file, `scorewatch.yaml`.
    Main,
    /// A tenant file: one tenant or a list.
    Tenants,
    /// A file with rules, named under `rules`.
    Rules,
    /// A file with tests of rules.
    Tests,
}

struct TenantFile;

impl JsonSchema for TenantFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TenantFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<RawTenant>();
        let list = generator.subschema_for::<Vec<RawTenant>>();
        schemars::json_schema!({ "anyOf": [one, list] })
    }
}

/// The schema of that file.
#[must_use]
pub fn schema(subject: Subject) -> Schema {
    match subject {
        Subject::Main => schema_for!(RawMain),
        Subject::Tenants => schema_for!(TenantFile),
        Subject::Rules => schema_for!(RawRules),
        Subject::Tests => schema_for!(RawSuite),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::{
        super::{channel, raw},
        *,
    };

    /// The keys of a mapping in a schema, by the name of its type; of the file itself without one.
    fn keys(schema: &Value, name: Option<&str>) -> BTreeSet<String> {
        let mapping = name.map_or(schema, |name| &schema["$defs"][name]);
        assert_eq!(mapping["additionalProperties"], false, "{name:?} refuses unknown keys");
        mapping["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn an_editor_knows_exactly_the_keys_that_the_reader_knows() {
        let (main, rules) = (schema(Subject::Main).to_value(), schema(Subject::Rules).to_value());
        let tests = schema(Subject::Tests).to_value();
        for (schema, name, known) in [
            (&tests, None, raw::RawSuite::KEYS),
            (&tests, Some("RawCase"), raw::RawCase::KEYS),
            (&tests, Some("RawCaseTenant"), raw::RawCaseTenant::KEYS),
            (&tests, Some("RawSeries"), raw::RawSeries::KEYS),
            (&tests, Some("RawExpected"), raw::RawExpected::KEYS),
            (&tests, Some("RawSilence"), raw::RawSilence::KEYS),
            (&tests, Some("RawMaintenance"), raw::RawMaintenance::KEYS),
            (&tests, Some("RawSuiteChannel"), raw::RawSuiteChannel::KEYS),
            (&main, None, raw::RawMain::KEYS),
            (&main, Some("RawDatabase"), raw::RawDatabase::KEYS),
            (&main, Some("RawAccess"), raw::RawAccess::KEYS),
            (&main, Some("RawOidc"), raw::RawOidc::KEYS),
            (&main, Some("RawGrant"), raw::RawGrant::KEYS),
            (&main, Some("RawTenant"), raw::RawTenant::KEYS),
            (&main, Some("RawCredential"), raw::RawCredential::KEYS),
            (&main, Some("RawEndpoints"), raw::RawEndpoints::KEYS),
            (&main, Some("RawChannel"), &channel::keys()),
            (&main, Some("RawRetry"), raw::RawRetry::KEYS),
            (&main, Some("RawDigest"), raw::RawDigest::KEYS),
            (&main, Some("RawFleet"), raw::RawFleet::KEYS),
            (&main, Some("RawOperator"), raw::RawOperator::KEYS),
            (&main, Some("RawMaintenance"), raw::RawMaintenance::KEYS),
            (&main, Some("RawReference"), raw::RawReference::KEYS),
            (&main, Some("RawSecretStore"), raw::RawSecretStore::KEYS),
            (&rules, None, raw::RawRules::KEYS),
            (&rules, Some("RawRule"), raw::RawRule::KEYS),
            (&rules, Some("RawCondition"), raw::RawCondition::KEYS),
            (&rules, Some("RawRecover"), raw::RawRecover::KEYS),
        ] {
            let known: BTreeSet<String> = known.iter().map(|key| key.trim_start_matches("r#").to_owned()).collect();
            assert_eq!(keys(schema, name), known, "{name:?}");
        }
        assert!(schema(Subject::Tenants).to_value()["$defs"]["RawTenant"].is_object());
    }

    #[test]
    fn an_editor_offers_no_literal_where_a_secret_belongs() {
        let main = schema(Subject::Main).to_value();
        let secret = main["$defs"]["RawCredential"]["properties"]["secret"].to_string()
            + &main["$defs"]["RawSecret"].to_string();
        assert!(secret.contains("RawReference") && !secret.contains("\"string\""), "{secret}");
        let url =
            main["$defs"]["RawChannel"]["properties"]["url"].to_string() + &main["$defs"]["ChannelUrl"].to_string();
        assert!(url.contains("RawReference") && url.contains("^https?://"), "{url}");
    }
}
