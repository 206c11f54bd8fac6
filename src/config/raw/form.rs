//! What single values look like, for editors: they mark what `scorewatch check` would refuse. Nothing is read by these types.

mod cron;

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use crate::{
    channel::{ChannelKind, Show},
    config::seen::Seen,
    domain::{Cloud, Language, Region, Role, ScoreKind, Severity},
    schedule::Zone,
};

/// A duration in units from days to milliseconds: `1h30m`.
const SPAN: &str = "^([0-9]+(d|h|m|s|ms))+$";
/// The same, and not zero.
const SPAN_ABOVE_ZERO: &str = "^([0-9]+(d|h|m|s|ms))*[0-9]*[1-9][0-9]*(d|h|m|s|ms)([0-9]+(d|h|m|s|ms))*$";
/// A number above zero.
const ABOVE_ZERO: &str = "([0-9]*[1-9][0-9]*([.][0-9]+)?|0+[.][0-9]*[1-9][0-9]*)";
/// A percentage above zero and of 100 at most.
const SHARE: &str = "^(0*100([.]0+)?|0*[1-9][0-9]?([.][0-9]+)?|0+[.][0-9]*[1-9][0-9]*)%$";
/// A duration that begins with a day or more; in seconds, of any length.
const DAY_OR_MORE: &str = "^0*[1-9][0-9]*d|^0*(2[4-9]|[3-9][0-9]|[1-9][0-9]{2,})h|^0*(14[4-9][0-9]|1[5-9][0-9]{2}|[2-9][0-9]{3}|[1-9][0-9]{4,})m([0-9]|$)|[0-9]s$";
const GUID: &str = "^[{]?[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}[}]?$";
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";
/// A path: `~` and variables are not replaced, and a no-break space looks like any other.
const PATH: &str = "^[^~$\u{a0}\u{202f}\u{2007}][^\u{a0}\u{202f}\u{2007}]*$";
/// A label's value: it neither begins nor ends with such a space.
const LABEL: &str = "^([^\u{a0}\u{202f}\u{2007}](.*[^\u{a0}\u{202f}\u{2007}])?)?$";
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
    TwoOrMore: json_schema!({ "anyOf": [{ "type": "integer", "minimum": 2 }, { "type": "string", "pattern": "^0*([2-9]|[1-9][0-9]+)$" }] });
    Count: json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^0*[1-9][0-9]*$" }] });
    Cron: text(&cron::pattern());
    DatabaseUrl: text("^postgres(ql)?://[^:@/?#]+@[^@/?#]+/[^/?#]+$");
    Day: text("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$");
    DrillSpan: json_schema!({ "anyOf": [
        { "enum": ["off", false] },
        { "type": "string", "pattern": SPAN_ABOVE_ZERO, "allOf": [{ "pattern": DAY_OR_MORE }] },
    ] });
    Guid: json_schema!({ "type": "string", "pattern": GUID, "not": { "pattern": "^[{]?[0-]+[}]?$" } });
    Label: text(LABEL);
    LanguageName: words(&Language::ALL.map(Language::as_str));
    Listen: text("^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+$");
    Name: json_schema!({ "anyOf": [{ "type": "string", "pattern": NAME }, { "type": ["integer", "boolean"] }] });
    MailServerUrl: text("^[Ss][Mm][Tt][Pp][Ss]?://[^@/?#]+/?$");
    PathName: json_schema!({ "anyOf": [{ "type": "string", "pattern": PATH }, { "type": ["number", "boolean"] }] });
    Runbook: json_schema!({ "anyOf": [
        { "type": "string", "pattern": "[^ \\t\\r\\n]", "not": { "pattern": "^[Hh][Tt][Tt][Pp]://[^ \\t\\r\\n]*$" } },
        { "type": ["number", "boolean"] },
    ] });
    RoleName: words(&Role::ALL.map(Role::as_str));
    RegionName: words(&Region::ALL.map(Region::as_str));
    ScoreName: words(&ScoreKind::ALL.map(ScoreKind::as_str));
    ShowWord: words(&Show::WORDS);
    SeenWord: words(&Seen::WORDS);
    SeverityName: words(&Severity::ALL.map(Severity::as_str));
    SignInWord: words(&["auto", "always", "never"]);
    SecretStoreKind: words(&["vault", "key-vault"]);
    Network: text("^([0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3})$");
    Recipient: text("^([^@<>]*<)?[^@<>\\s]+@[^@<>\\s]+>?$");
    SecretAddress: text("^([Hh][Tt][Tt][Pp][Ss]://|[Hh][Tt][Tt][Pp]://(localhost|127[.]|\\[))");
    Share: text(SHARE);
    Size: text(&format!("^{ABOVE_ZERO}(%|pts)$"));
    Span: text(SPAN);
    SpanAboveZero: text(SPAN_ABOVE_ZERO);
    Text: json_schema!({ "anyOf": [{ "type": "string", "pattern": "[^ \\t\\r\\n]" }, { "type": ["number", "boolean"] }] });
    VariableName: text("^[^$=][^=]*$");
    StoreUrl: text("^(sqlite://.+|postgres(ql)?://[^:@/?#]+@[^@/?#]+/[^/?#]+)$");
    Switch: json_schema!({ "enum": ["on", "off", true, false] });
    Threshold: json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": NUMBER }] });
    TlsWord: words(&["verify-full", "verify-ca", "require", "disable"]);
    True: json_schema!({ "const": true });
    TypeName: words(ChannelKind::WORDS);
    WebAddress: text("^[Hh][Tt][Tt][Pp][Ss]?://");
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

/// That the keys of a mapping are names.
pub(super) fn named() -> Value {
    json!({ "pattern": NAME })
}

/// That none of these keys is there.
pub(in crate::config) fn without(keys: &[&str]) -> Value {
    json!({ "properties": keys.iter().map(|key| ((*key).to_owned(), Value::Bool(false))).collect::<Map<_, _>>() })
}

/// That a URL is not written itself, but where it is kept.
pub(in crate::config) fn secret_url() -> Value {
    json!([{ "properties": { "url": { "type": "object" } } }])
}

/// That a URL that is written itself is encrypted, unless private networks are allowed.
pub(in crate::config) fn encrypted_unless_private() -> Value {
    json!([{ "required": ["allow_private"] }, { "properties": { "url": { "pattern": "^[Hh][Tt][Tt][Pp][Ss]://" } } }])
}

/// That a URL is there only where private networks are allowed.
pub(in crate::config) fn private_url() -> Value {
    json!([{ "required": ["allow_private"] }, without(&["url"])])
}

/// That a name by which to sign in has a password, and a password a name.
pub(in crate::config) fn name_and_password() -> Value {
    json!({ "username": ["password"], "password": ["username"] })
}

/// Exactly one of the conditions, with what belongs to it.
pub(super) fn conditions() -> Value {
    let level = |key: &str, others: &[&str]| variant(&[key], &[others, &["within", "from"]].concat());
    json!([
        level("below", &["above", "drop", "rise", "no_data"]),
        level("above", &["below", "drop", "rise", "no_data"]),
        variant(&["drop", "within"], &["below", "above", "rise", "no_data"]),
        variant(&["rise", "within"], &["below", "above", "drop", "no_data"]),
        level("no_data", &["below", "above", "drop", "rise"]),
    ])
}

/// What a rule has beside its condition, by the kind of condition.
pub(super) fn rules() -> Value {
    let rule = |when: &str, required: &[&str], refused: &[&str], unfit: &[&str]| {
        let mut rule = variant(required, refused);
        rule["properties"]["when"] = json!({ "required": [when] });
        if !unfit.is_empty() {
            rule["properties"]["recover"] = without(unfit);
        }
        rule
    };
    json!([
        rule("below", &["score"], &["accept_after"], &["below", "regained"]),
        rule("above", &["score"], &["accept_after"], &["above", "regained"]),
        rule("drop", &["score"], &["step"], &["below"]),
        rule("rise", &["score"], &["step"], &["above"]),
        rule("no_data", &[], &["for", "recover", "step", "accept_after"], &[]),
    ])
}

fn variant(required: &[&str], refused: &[&str]) -> Value {
    let mut variant = without(refused);
    variant["required"] = json!(required);
    variant
}
