//! JSON Schemas of the configuration, which give completion in editors.

use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};

use super::raw::{RawMain, RawRules, RawTenant};

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `scorewatch.yaml`.
    Main,
    /// A tenant file: one tenant or a list.
    Tenants,
    /// A rule file.
    Rules,
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
    }
}
