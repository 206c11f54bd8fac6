//! The files as people write them. The JSON Schema is made of these types, and so is the list of known keys.

pub(super) mod form;
mod shape;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use self::shape::{
    AllowPrivate, ChannelUrl, OneOrMany, RawReport, RawSecret, RawStore, RawTenantEntry, RawTenants,
};
use super::field::{Field, Word};

/// Declares a mapping as written: every key is optional to the reader, so that all problems can be reported in one run.
macro_rules! raw {
    ($($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => { $(
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(default, expecting = "a mapping")]
        #[schemars(deny_unknown_fields)]
        $(#[$meta])*
        pub(in crate::config) struct $name { $($(#[$field_meta])* pub(in crate::config) $field: Field<$type>,)* }

        impl $name {
            /// The keys that may stand here; raw identifiers keep their `r#`.
            pub(in crate::config) const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];
        }
    )* };
}
pub(super) use raw;

mod channel;
mod oidc;
mod rules;
mod suite;
pub(super) use self::channel::{Own, RawChannel, RawCommon, RawDigest, RawRetry};
pub(super) use self::oidc::{RawAccess, RawGrant, RawOidc};
pub(super) use self::rules::{RawCondition, RawEscalation, RawRecover, RawRule, RawRules};
pub(super) use self::suite::{RawCase, RawCaseTenant, RawExpected, RawSeries, RawSilence, RawSuite, RawSuiteChannel};

raw! {
    /// The main file, `scorewatch.yaml`.
    struct RawMain {
        /// Where the store is: `sqlite://data/scorewatch.db`, or a PostgreSQL database.
        store: RawStore,
        /// Where dashboard, API and metrics listen: `127.0.0.1:8080`.
        #[schemars(with = "form::Listen")]
        listen: Word,
        /// Base of the links in messages.
        #[schemars(with = "form::WebAddress")]
        public_url: Word,
        /// Who has to sign in, and under which names the dashboard is reached.
        access: RawAccess,
        /// Whose reports these are.
        brand: RawBrand,
        /// The language of messages and reports; a channel may override it for its messages, a tenant for its report.
        #[schemars(with = "form::LanguageName")]
        language: Word,
        /// Cron with seconds, six fields; a tenant may override it.
        #[schemars(with = "form::Cron")]
        schedule: Word,
        /// IANA time zone of the schedule, and of the times that commands print: `Europe/Berlin`.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
        /// The window over which a tick's tenants are spread: `10m`.
        #[schemars(with = "form::Span")]
        spread: Word,
        /// The scores that are polled; a tenant may override them.
        #[schemars(with = "Vec<form::ScoreName>", extend("minItems" = 1))]
        scores: Vec<Field<Word>>,
        /// Rule files, relative to this file; `*` and `**` are understood.
        #[schemars(with = "Vec<form::PathName>")]
        rules: Vec<Field<Word>>,
        /// The folder of your own templates.
        #[schemars(with = "form::PathName")]
        templates: Word,
        /// Tenant files, relative to this file, or tenants.
        tenants: Vec<Field<RawTenantEntry>>,
        /// The places that receive, by name.
        #[schemars(extend("propertyNames" = form::named()))]
        channels: BTreeMap<String, Field<RawChannel>>,
        /// Who is notified when tenants can't be read or a channel is failing.
        operator: RawOperator,
        /// One multi-tenant app for every tenant that has no credential of its own.
        credential: OneOrMany<RawCredential>,
        /// Base URLs of a private cloud or a test, for every tenant.
        endpoints: RawEndpoints,
        /// One call to Microsoft, body included: `30s`.
        #[schemars(with = "form::SpanAboveZero")]
        timeout: Word,
        /// Calls to Microsoft in flight.
        #[schemars(with = "form::Count")]
        concurrency: Word,
        /// How long samples and finished deliveries are kept: `400d`.
        #[schemars(with = "form::SpanAboveZero")]
        retention: Word,
        /// Holding time and size of a fleet shift.
        fleet: RawFleet,
        /// The number of changes from which an alert is reported once as unstable, and then no more until it is stable.
        flapping: RawFlapping,
        /// What `/metrics` serves beyond counts.
        metrics: RawMetrics,
        /// Times that come round, in which notifications are suppressed.
        maintenance: Vec<Field<RawMaintenance>>,
        /// Controls of the secure score that do not count for some tenants.
        exclude: Vec<Field<RawExclusion>>,
        /// What has to be asked for secrets, by name; `{ store: NAME, … }` refers to one.
        #[schemars(extend("propertyNames" = form::named()))]
        secret_stores: BTreeMap<String, Field<RawSecretStore>>,
    }

    /// A PostgreSQL database as the store.
    struct RawDatabase {
        /// The address: `postgres://scorewatch@db.example/scorewatch`.
        #[schemars(with = "form::DatabaseUrl")]
        postgres: Word,
        /// The role's password, if the server asks for one.
        password: RawSecret,
        /// What is checked of the server: `verify-full`, `verify-ca`, `require` or `disable`.
        #[schemars(with = "form::TlsWord")]
        tls: Word,
        /// A file with the certificates of the authorities that may have signed the server's.
        #[schemars(with = "form::PathName")]
        ca: Word,
    }

    /// Whose reports these are: yours, as your customers know you.
    struct RawBrand {
        /// The name at the top of a report.
        name: Word,
        /// The color of a report: `"#0b5fff"`.
        #[schemars(with = "form::ColorCode")]
        color: Word,
    }

    /// A HashiCorp Vault or an Azure Key Vault.
    #[schemars(extend("required" = ["type", "address"]))]
    struct RawSecretStore {
        /// The kind of store: `vault` or `key-vault`.
        #[schemars(with = "form::SecretStoreKind")]
        r#type: Word,
        /// Its base URL: `https://vault.mssp.example:8200`, `https://mssp.vault.azure.net`.
        #[schemars(with = "form::WebAddress")]
        address: Word,
        /// Its private networks: `true` or a list of CIDRs.
        allow_private: AllowPrivate,
        /// Of `vault`: the token that reads.
        token: RawSecret,
        /// Of `vault`, instead of a token: the id of an AppRole.
        role_id: Word,
        /// Of `vault`: the secret id of that AppRole.
        secret_id: RawSecret,
        /// Of `vault`: the namespace.
        namespace: Word,
        /// Of `vault`: where the key/value engine (version 2) is mounted: `secret`.
        mount: Word,
        /// Of `key-vault`: the directory (tenant) ID of its app.
        #[schemars(with = "form::Guid")]
        tenant_id: Word,
        /// Of `key-vault`: the app that reads.
        credential: OneOrMany<RawCredential>,
        /// Of `key-vault`: another base URL of Entra, for a test.
        login: Word,
    }

    /// A customer's tenant and how it is watched.
    #[schemars(extend("required" = ["id", "tenant_id"]))]
    struct RawTenant {
        /// The slug: `a-z`, `0-9` and `-`.
        #[schemars(with = "form::Name")]
        id: Word,
        /// The name that messages show instead of the slug.
        name: Word,
        /// The directory (tenant) ID that Entra shows on its overview page.
        #[schemars(with = "form::Guid")]
        tenant_id: Word,
        /// `commercial`, `gcc`, `gcc-high` or `dod`.
        #[schemars(with = "form::CloudName")]
        cloud: Word,
        /// The nearer API host of the commercial cloud.
        #[schemars(with = "form::RegionName")]
        region: Word,
        /// The language of its reports: `en`, `de` or `fr`.
        #[schemars(with = "form::LanguageName")]
        language: Word,
        /// The app that signs in to this tenant.
        credential: OneOrMany<RawCredential>,
        /// Labels, by which rules and channels select it.
        #[schemars(with = "BTreeMap<String, form::Label>")]
        labels: BTreeMap<String, Field<String>>,
        /// Channels that are notified in addition to those of the rule.
        #[schemars(with = "Vec<form::Name>")]
        notify: Vec<Field<Word>>,
        /// Cron with seconds, six fields.
        #[schemars(with = "form::Cron")]
        schedule: Word,
        /// IANA time zone of the schedule.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
        /// The scores that are polled.
        #[schemars(with = "Vec<form::ScoreName>", extend("minItems" = 1))]
        scores: Vec<Field<Word>>,
        /// Base URLs of a private cloud or a test.
        endpoints: RawEndpoints,
        /// Controls of the secure score that do not count for it.
        exclude: Vec<Field<RawOwnExclusion>>,
    }

    /// An app registration and how it proves itself.
    #[schemars(extend("required" = ["client_id"], "oneOf" = form::one_of(&["secret", "certificate", "federated_token"])))]
    struct RawCredential {
        /// The application (client) ID.
        #[schemars(with = "form::Guid")]
        client_id: Word,
        /// The client secret of the app, as a reference.
        secret: RawSecret,
        /// A PEM with the certificate, its chain, and the unencrypted PKCS#8 RSA key; or a PFX with certificate and key.
        certificate: RawSecret,
        /// The password of a certificate that is a PFX.
        certificate_password: RawSecret,
        /// A file with a token of a federated identity.
        federated_token: RawSecret,
        /// The day on which it expires: `2027-03-01`. A certificate says so itself.
        #[schemars(with = "form::Day")]
        expires: Word,
    }

    /// Base URLs; what is absent is the cloud's own.
    struct RawEndpoints {
        /// The base URL of Entra's sign-in service.
        #[schemars(with = "form::SecretAddress")]
        login: Word,
        /// The base URL of Defender for Endpoint's API.
        #[schemars(with = "form::SecretAddress")]
        defender: Word,
        /// The base URL of Microsoft Graph.
        #[schemars(with = "form::SecretAddress")]
        graph: Word,
    }

    /// Holding time and size of a fleet shift.
    struct RawFleet {
        /// How long notifications wait for the rest of the fleet.
        #[schemars(with = "form::Span")]
        hold: Word,
        /// The fewest tenants that make a fleet shift.
        #[schemars(with = "form::TwoOrMore")]
        at_least: Word,
        /// The least share of the tenants read: `33%`.
        #[schemars(with = "form::Share")]
        share: Word,
        /// `proven`: where the evidence proves that Microsoft changed the score, the new level is accepted; `ask`: never.
        #[schemars(with = "form::AcceptWord")]
        accept: Word,
    }

    /// How often an alert may fire and recover.
    struct RawFlapping {
        /// The number of changes that are reported before that: `6`.
        #[schemars(with = "form::Count")]
        changes: Word,
        /// Within so much time: `24h`.
        #[schemars(with = "form::SpanAboveZero")]
        within: Word,
    }

    /// What `/metrics` serves beyond counts.
    struct RawMetrics {
        /// `true`: each score of each tenant, and its age, with the tenant's id as a label; many tenants make many time series.
        #[schemars(with = "bool")]
        tenants: Word,
    }

    /// A time that comes round, in which notifications are suppressed.
    #[schemars(extend("required" = ["name", "from"], "oneOf" = form::one_of(&["for", "until"]), "anyOf" = form::one_of(&["tenants", "rules", "scores", "severity"])))]
    struct RawMaintenance {
        /// The name by which the configuration refers to it.
        #[schemars(with = "form::Name")]
        name: Word,
        /// Whose alerts: `all`, a list of tenants, or labels.
        tenants: RawTenants,
        /// By which rules; absent: all.
        #[schemars(with = "OneOrMany<form::Name>")]
        rules: OneOrMany<Word>,
        /// Of which scores; absent: all.
        #[schemars(with = "OneOrMany<form::ScoreName>")]
        scores: OneOrMany<Word>,
        /// `info`, `warning` or `critical`; absent: all.
        #[schemars(with = "OneOrMany<form::SeverityName>")]
        severity: OneOrMany<Word>,
        /// When it begins: cron with seconds, six fields.
        #[schemars(with = "form::Cron")]
        from: Word,
        /// How long it lasts: `6h`.
        #[schemars(with = "form::SpanAboveZero")]
        r#for: Word,
        /// When it ends, instead: cron with seconds, six fields.
        #[schemars(with = "form::Cron")]
        until: Word,
        /// IANA time zone; absent: that of the schedule.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
    }

    /// Controls of the secure score that do not count for some tenants: covered otherwise, or not licensed.
    #[schemars(extend("required" = ["controls", "tenants", "reason", "until"]))]
    struct RawExclusion {
        /// The controls, by the names that Microsoft's records give them: `AdminMFAV2`.
        #[schemars(with = "Vec<form::Text>", extend("minItems" = 1))]
        controls: Vec<Field<Word>>,
        /// For whom: `all`, a list of tenants, or labels.
        tenants: RawTenants,
        /// Why they do not count.
        #[schemars(with = "form::Text")]
        reason: Word,
        /// The day from which they count again, at most a year ahead: `2027-03-01`.
        #[schemars(with = "form::Day")]
        until: Word,
    }

    /// Controls of the secure score that do not count for this tenant.
    #[schemars(extend("required" = ["controls", "reason", "until"]))]
    struct RawOwnExclusion {
        /// The controls, by the names that Microsoft's records give them: `AdminMFAV2`.
        #[schemars(with = "Vec<form::Text>", extend("minItems" = 1))]
        controls: Vec<Field<Word>>,
        /// Why they do not count.
        #[schemars(with = "form::Text")]
        reason: Word,
        /// The day from which they count again, at most a year ahead: `2027-03-01`.
        #[schemars(with = "form::Day")]
        until: Word,
    }

    /// Who is notified when tenants can't be read or a channel is failing.
    struct RawOperator {
        /// Channels, which must be open to every tenant.
        #[schemars(with = "Vec<form::Name>")]
        notify: Vec<Field<Word>>,
        /// How long a tenant's checks may fail before the operator is notified.
        #[schemars(with = "form::SpanAboveZero")]
        blind_after: Word,
    }

    /// Where a secret is kept: exactly one of `env`, `file`, `credential`, `exec` and `store`.
    #[schemars(extend("oneOf" = form::one_of(&["env", "file", "credential", "exec", "store"])))]
    struct RawReference {
        /// The name of an environment variable with the secret.
        #[schemars(with = "form::VariableName")]
        env: Word,
        /// A file; a byte order mark and trailing line breaks are cut.
        #[schemars(with = "form::PathName")]
        file: Word,
        /// The name of a systemd credential with the secret.
        credential: Word,
        /// A program with its arguments, which prints the secret.
        exec: Vec<Field<Word>>,
        /// With `exec`: how long it may take: `10s`.
        #[schemars(with = "form::SpanAboveZero")]
        timeout: Word,
        /// A store under `secret_stores`.
        store: Word,
        /// In a `vault`: the path below the mount.
        path: Word,
        /// In a `vault`: the field: `value`.
        field: Word,
        /// In a `key-vault`: the secret's name.
        name: Word,
        /// In a `key-vault`: one version of it for ever.
        version: Word,
    }

    /// A schedule for reports: at least one of `at` and `month`.
    #[schemars(extend("anyOf" = form::one_of(&["at", "month"])))]
    struct RawReportAt {
        /// When the report on all tenants of the channel is due, cron with seconds: `0 0 8 * * MON`.
        #[schemars(with = "form::Cron")]
        at: Word,
        /// When the report on each tenant's last month is due, cron with seconds: `0 0 8 1 * *`.
        #[schemars(with = "form::Cron")]
        month: Word,
        /// IANA time zone; absent: that of the channel.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
    }
}
