//! Channels as people write them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{AllowPrivate, OneOrMany, RawReport, RawSecret, form, shape::ChannelUrl};
use crate::config::field::{Field, Word};

raw! {
    /// A place that receives.
    #[schemars(extend("required" = ["type"]))]
    struct RawChannel {
        /// `teams`, `slack`, `discord`, `google-chat`, `mattermost`, `webhook`, `email`, `pagerduty` or `alertmanager`.
        #[schemars(with = "form::TypeName")]
        r#type: Word,
        /// Where to send. Of chats it is a secret, of `alertmanager` the base URL; `pagerduty` needs none, `email` has none.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
        /// `whsec_` or `whsk_` and base64; a list while it rotates, newest first.
        signing_secret: OneOrMany<RawSecret>,
        /// Of `email`: the server that takes the mail: `smtps://smtp.example`, or `smtp://smtp.example` with STARTTLS.
        server: Word,
        /// Of `email`: `none` for a server inside your network that knows no TLS.
        #[schemars(with = "form::TlsWord")]
        tls: Word,
        /// Of `email`: from whom: `Scorewatch <scores@mssp.example>`.
        from: Word,
        /// Of `email`: who gets it.
        to: Vec<Field<Word>>,
        /// Of `pagerduty`: the integration key.
        routing_key: RawSecret,
        /// Of `pagerduty`: `us` or `eu`.
        #[schemars(with = "form::PagerdutyRegionName")]
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
        #[schemars(with = "form::Span")]
        pace: Word,
        /// Bounds of the back-off.
        retry: RawRetry,
        /// One attempt, body included.
        #[schemars(with = "form::Span")]
        timeout: Word,
        /// When waiting notifications go out as one.
        digest: RawDigest,
        /// How long a channel may go unproven before a drill is sent to it: `30d`, or `off`.
        #[schemars(with = "form::SpanOrOff")]
        drill: Word,
        /// When it gets a report on its tenants: `weekly`, `daily`, `off`, or a schedule of its own.
        report: RawReport,
        /// Private and loopback receivers: `true`, `false` or a list of networks.
        allow_private: AllowPrivate,
        /// The template, by its name in the folder of templates.
        template: Word,
    }

    /// A schedule for reports.
    #[schemars(extend("required" = ["at"]))]
    struct RawReportAt {
        /// Cron with seconds: `0 0 8 * * MON`.
        #[schemars(with = "form::Cron")]
        at: Word,
        /// IANA time zone; absent: that of the schedule of checks.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
    }

    /// Bounds of the back-off between attempts.
    struct RawRetry {
        /// The first wait's upper bound.
        #[schemars(with = "form::Span")]
        first: Word,
        /// The longest wait.
        #[schemars(with = "form::Span")]
        max: Word,
        /// The age at which a delivery becomes a dead letter.
        #[schemars(with = "form::Span")]
        give_up: Word,
    }

    /// When waiting notifications go out as one.
    struct RawDigest {
        /// More than this many.
        #[schemars(with = "form::Count")]
        over: Word,
    }
}
