//! The files as people write them. The JSON Schema is made of these types, and so is the list of known keys.

mod shape;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use self::shape::ChannelUrl;
pub(super) use self::shape::{AllowPrivate, OneOrMany, RawReport, RawSecret, RawTenantEntry, RawTenants};
use super::field::{Field, Word};

/// Declares a mapping as written: every key is optional to the reader, so that all that is wrong can be told at once.
macro_rules! raw {
    ($($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(default, expecting = "a mapping")]
        #[schemars(deny_unknown_fields)]
        pub(in crate::config) struct $name { $($(#[$field_meta])* pub(in crate::config) $field: Field<$type>,)* }

        impl $name {
            /// The keys that may stand here; raw identifiers keep their `r#`.
            pub(in crate::config) const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];
        }
    )* };
}

mod suite;
pub(super) use self::suite::{RawCase, RawCaseTenant, RawExpected, RawSeries, RawSilence, RawSuite, RawSuiteChannel};

raw! {
    /// The main file, `scorewatch.yaml`.
    struct RawMain {
        /// Where the store is: `sqlite://data/scorewatch.db`.
        store: Word,
        /// Where dashboard, API and metrics listen: `127.0.0.1:8080`.
        listen: Word,
        /// Base of the links in messages.
        public_url: Word,
        /// Cron with seconds, six fields; a tenant may override it.
        schedule: Word,
        /// IANA time zone of the schedule: `Europe/Berlin`.
        timezone: Word,
        /// The window over which a tick's tenants are spread: `10m`.
        spread: Word,
        /// The scores that are polled; a tenant may override them.
        scores: Vec<Field<Word>>,
        /// Rule files, relative to this file; `*` and `**` are understood.
        rules: Vec<Field<Word>>,
        /// The folder of your own templates.
        templates: Word,
        /// Tenant files, relative to this file, or tenants.
        tenants: Vec<Field<RawTenantEntry>>,
        /// The places that receive, by name.
        channels: BTreeMap<String, Field<RawChannel>>,
        /// Who hears that we are blind, and that a channel is failing.
        operator: RawOperator,
        /// One multi-tenant app for every tenant that has no credential of its own.
        credential: OneOrMany<RawCredential>,
        /// Base URLs of a private cloud or a test, for every tenant.
        endpoints: RawEndpoints,
        /// One call to Microsoft, body included: `30s`.
        timeout: Word,
        /// Calls to Microsoft in flight.
        concurrency: Word,
        /// How long samples and finished deliveries are kept: `400d`.
        retention: Word,
        /// Holding time and size of a fleet shift.
        fleet: RawFleet,
        /// From how many changes on an alert is told once to be unstable, and then left alone.
        flapping: RawFlapping,
        /// Times that come round, in which notifications are withheld.
        maintenance: Vec<Field<RawMaintenance>>,
        /// What has to be asked for secrets, by name; `{ store: NAME, … }` refers to one.
        secret_stores: BTreeMap<String, Field<RawSecretStore>>,
    }

    /// A HashiCorp Vault or an Azure Key Vault.
    struct RawSecretStore {
        /// `vault` or `key-vault`.
        r#type: Word,
        /// Its base URL: `https://vault.mssp.example:8200`, `https://mssp.vault.azure.net`.
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
        tenant_id: Word,
        /// Of `key-vault`: the app that reads.
        credential: OneOrMany<RawCredential>,
        /// Of `key-vault`: another base URL of Entra, for a test.
        login: Word,
    }

    /// One tenant.
    struct RawTenant {
        /// The slug: `a-z`, `0-9` and `-`.
        id: Word,
        /// The display name.
        name: Word,
        /// The directory (tenant) ID that Entra shows on its overview page.
        tenant_id: Word,
        /// `commercial`, `gcc`, `gcc-high` or `dod`.
        cloud: Word,
        /// The nearer API host of the commercial cloud.
        region: Word,
        /// The app that signs in to this tenant.
        credential: OneOrMany<RawCredential>,
        /// Labels, by which rules and channels select it.
        labels: BTreeMap<String, Field<String>>,
        /// Channels told besides those of the rule.
        notify: Vec<Field<Word>>,
        /// Cron with seconds, six fields.
        schedule: Word,
        /// IANA time zone of the schedule.
        timezone: Word,
        /// The scores that are polled.
        scores: Vec<Field<Word>>,
        /// Base URLs of a private cloud or a test.
        endpoints: RawEndpoints,
    }

    /// An app registration and how it proves itself.
    struct RawCredential {
        /// The application (client) ID.
        client_id: Word,
        /// The client secret.
        secret: RawSecret,
        /// A PEM with the certificate, its chain, and the unencrypted PKCS#8 RSA key; or a PFX with certificate and key.
        certificate: RawSecret,
        /// The password of a certificate that is a PFX.
        certificate_password: RawSecret,
        /// A file with a token of a federated identity.
        federated_token: RawSecret,
        /// The day on which it expires: `2027-03-01`. A certificate says so itself.
        expires: Word,
    }

    /// Base URLs; what is absent is the cloud's own.
    struct RawEndpoints {
        /// Entra.
        login: Word,
        /// Defender for Endpoint.
        defender: Word,
        /// Microsoft Graph.
        graph: Word,
    }

    /// A place that receives.
    struct RawChannel {
        /// `teams`, `slack`, `discord`, `google-chat`, `mattermost`, `webhook`, `email`, `pagerduty` or `alertmanager`.
        r#type: Word,
        /// Where to send. Of chats it is a secret, of `alertmanager` the base URL; `pagerduty` needs none, `email` has none.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
        /// `whsec_` or `whsk_` and base64; a list while it rotates, newest first.
        signing_secret: OneOrMany<RawSecret>,
        /// Of `email`: the server that takes the mail: `smtps://smtp.example`, or `smtp://smtp.example` with STARTTLS.
        server: Word,
        /// Of `email`: `none` for a server inside your network that knows no TLS.
        tls: Word,
        /// Of `email`: from whom: `Scorewatch <scores@mssp.example>`.
        from: Word,
        /// Of `email`: who gets it.
        to: Vec<Field<Word>>,
        /// Of `pagerduty`: the integration key.
        routing_key: RawSecret,
        /// Of `pagerduty`: `us` or `eu`.
        region: Word,
        /// Of `email` and `alertmanager`: the name by which to sign in.
        username: Word,
        /// Of `email` and `alertmanager`: the password for it.
        password: RawSecret,
        /// Of `alertmanager`: instead of `username` and `password`.
        bearer_token: RawSecret,
        /// The only tenants that this channel may show.
        tenants: Vec<Field<Word>>,
        /// The labels of the only tenants that this channel may show.
        labels: BTreeMap<String, Field<String>>,
        /// Least time between two sends.
        pace: Word,
        /// Bounds of the back-off.
        retry: RawRetry,
        /// One attempt, body included.
        timeout: Word,
        /// When waiting notifications go out as one.
        digest: RawDigest,
        /// How long a channel may go unproven before a drill is sent to it: `30d`, or `off`.
        drill: Word,
        /// When it gets a report on its tenants: `weekly`, `daily`, `off`, or a schedule of its own.
        report: RawReport,
        /// Private and loopback receivers: `true`, `false` or a list of networks.
        allow_private: AllowPrivate,
        /// The template, by its name in the folder of templates.
        template: Word,
    }

    /// A schedule for reports.
    struct RawReportAt {
        /// Cron with seconds: `0 0 8 * * MON`.
        at: Word,
        /// IANA time zone; absent: that of the schedule of checks.
        timezone: Word,
    }

    /// Bounds of the back-off between attempts.
    struct RawRetry {
        /// The first wait's upper bound.
        first: Word,
        /// The longest wait.
        max: Word,
        /// The age at which a delivery becomes a dead letter.
        give_up: Word,
    }

    /// When waiting notifications go out as one.
    struct RawDigest {
        /// More than this many.
        over: Word,
    }

    /// Holding time and size of a fleet shift.
    struct RawFleet {
        /// How long notifications wait for the rest of the fleet.
        hold: Word,
        /// The fewest tenants.
        at_least: Word,
        /// The least share of the tenants read: `33%`.
        share: Word,
        /// `proven`: where the evidence proves that Microsoft changed the score, the new level is accepted; `ask`: never.
        accept: Word,
    }

    /// How often an alert may fire and recover.
    struct RawFlapping {
        /// So many changes are told: `6`.
        changes: Word,
        /// Within so much time: `24h`.
        within: Word,
    }

    /// A time that comes round, in which notifications are withheld.
    struct RawMaintenance {
        /// Its name.
        name: Word,
        /// Whose alerts: `all`, a list of tenants, or labels.
        tenants: RawTenants,
        /// By which rules; absent: all.
        rules: OneOrMany<Word>,
        /// Of which scores; absent: all.
        scores: OneOrMany<Word>,
        /// `info`, `warning` or `critical`; absent: all.
        severity: OneOrMany<Word>,
        /// When it begins: cron with seconds, six fields.
        from: Word,
        /// How long it lasts: `6h`.
        r#for: Word,
        /// When it ends, instead: cron with seconds, six fields.
        until: Word,
        /// IANA time zone; absent: that of the schedule.
        timezone: Word,
    }

    /// Who hears that we are blind, and that a channel is failing.
    struct RawOperator {
        /// Channels, which must be open to every tenant.
        notify: Vec<Field<Word>>,
        /// How long a tenant's checks may fail before the operator hears of it.
        blind_after: Word,
    }

    /// A rule file.
    struct RawRules {
        /// The rules.
        rules: Vec<Field<RawRule>>,
    }

    /// A condition on a score, the tenants that it applies to, and what to do.
    struct RawRule {
        /// The name, unique over all rule files.
        name: Word,
        /// The score judged; may be absent with `no_data`.
        score: Word,
        /// The labels of the tenants that it applies to; absent: all.
        tenants: BTreeMap<String, Field<String>>,
        /// What must hold.
        when: RawCondition,
        /// What must hold for the alert to be over.
        recover: RawRecover,
        /// How long the condition must have held.
        r#for: Word,
        /// `info`, `warning` or `critical`.
        severity: Word,
        /// Time between reminders.
        repeat: Word,
        /// How much further a `below` or `above` must go to be told again.
        step: Word,
        /// After how long a `drop` or `rise` is accepted as the new level.
        accept_after: Word,
        /// Channels told.
        notify: Vec<Field<Word>>,
        /// This rule is meant to fire on good news.
        good_news: bool,
        /// `off`: this rule takes no part in fleet shifts.
        fleet: Word,
        /// `off`: each change of this rule's alerts is told, however many there are.
        flapping: Word,
        /// What it is for, in one or two sentences; messages show it.
        about: Word,
        /// What to do when it fires: an `https` link or a short text; messages show it.
        runbook: Word,
    }

    /// What must hold for a rule to fire: exactly one of the first five.
    struct RawCondition {
        /// The value is less than this.
        below: Word,
        /// The value is greater than this.
        above: Word,
        /// The value fell by at least this: `5%` or `20pts`.
        drop: Word,
        /// The value rose by at least this: `5%` or `20pts`.
        rise: Word,
        /// There was no reading for this long.
        no_data: Word,
        /// How far back the baseline may lie.
        within: Word,
        /// `best`, `previous` or `average`.
        from: Word,
    }

    /// What must hold for an alert to be over.
    struct RawRecover {
        /// The value is greater than this.
        above: Word,
        /// The value is less than this.
        below: Word,
        /// This share of the loss is regained: `80%`.
        regained: Word,
    }

    /// Where a secret is kept: exactly one of `env`, `file`, `credential`, `exec` and `store`.
    struct RawReference {
        /// An environment variable.
        env: Word,
        /// A file; one trailing line break is cut.
        file: Word,
        /// A systemd credential.
        credential: Word,
        /// A program with its arguments, which prints the secret.
        exec: Vec<Field<Word>>,
        /// With `exec`: how long it may take: `10s`.
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
}
