//! What single values look like, for editors: they mark what `scorewatch check` would refuse. Nothing is read by these types.

use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::{
    channel::{ChannelKind, Show},
    domain::{Cloud, Language, Region, Role, ScoreKind, Severity},
    schedule::Zone,
};

/// A duration in units from days to milliseconds: `1h30m`.
const SPAN: &str = "^([0-9]+(d|h|m|s|ms))+$";
const NUMBER: &str = "^[0-9]+([.][0-9]+)?$";

/// Declares a type of value by its schema.
macro_rules! forms {
    ($($name:ident: $schema:expr;)*) => { $(
        pub(in crate::config) enum $name {}

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    )* };
}
pub(in crate::config) use forms;

forms! {
    AcceptWord: words(&["proven", "ask"]);
    BaselineName: words(&["best", "previous", "average"]);
    CloudName: words(&Cloud::ALL.map(Cloud::as_str));
    ColorCode: text("^#[0-9A-Fa-f]{6}$");
    Count: json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^0*[1-9][0-9]*$" }] });
    Cron: text("^[ \\t]*[^ \\t@]+([ \\t]+[^ \\t]+){5}[ \\t]*$");
    DatabaseUrl: text("^postgres(ql)?://[^:@/?#]+@[^@/?#]+/[^/?#]+$");
    Day: text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    Guid: text("^[{]?[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}[}]?$");
    LanguageName: words(&Language::ALL.map(Language::as_str));
    Listen: text("^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+$");
    Name: json_schema!({
        "anyOf": [{ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" }, { "type": ["integer", "boolean"] }]
    });
    RoleName: words(&Role::ALL.map(Role::as_str));
    RegionName: words(&Region::ALL.map(Region::as_str));
    ScoreName: words(&ScoreKind::ALL.map(ScoreKind::as_str));
    ShowWord: words(&Show::WORDS);
    SeverityName: words(&Severity::ALL.map(Severity::as_str));
    SignInWord: words(&["auto", "always", "never"]);
    Share: text("^[0-9]+([.][0-9]+)?%$");
    Size: text("^[0-9]+([.][0-9]+)?(%|pts)$");
    Span: text(SPAN);
    SpanOrOff: json_schema!({ "anyOf": [{ "enum": ["off", false] }, { "type": "string", "pattern": SPAN }] });
    StoreUrl: text("^(sqlite://.+|postgres(ql)?://[^:@/?#]+@[^@/?#]+/[^/?#]+)$");
    Switch: json_schema!({ "enum": ["on", "off", true, false] });
    Threshold: json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": NUMBER }] });
    TlsWord: words(&["verify-full", "verify-ca", "require", "disable"]);
    True: json_schema!({ "const": true });
    TypeName: words(ChannelKind::WORDS);
    WebAddress: text("^https?://");
    ZoneName: json_schema!({ "type": "string", "enum": Zone::names().collect::<Vec<_>>() });
}

fn text(pattern: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern })
}

/// One of these words.
pub(in crate::config) fn words(known: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": known })
}

/// That exactly one of these keys is there.
pub(super) fn one_of(keys: &[&str]) -> Value {
    keys.iter().map(|key| json!({ "required": [key] })).collect()
}
