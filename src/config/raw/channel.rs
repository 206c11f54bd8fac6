//! Channels as people write them: the keys of every channel, and those that its kind adds.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_yaml::Value;

use super::{AllowPrivate, RawReport, form};
use crate::config::field::{Field, Word};

raw! {
    /// A place that receives.
    #[schemars(extend("required" = ["type"]))]
    struct RawCommon {
        /// The kind of channel, which decides its other keys.
        #[schemars(with = "form::TypeName")]
        r#type: Word,
        /// The only tenants that this channel may show.
        #[schemars(with = "Vec<form::Name>")]
        tenants: Vec<Field<Word>>,
        /// The labels of the only tenants that this channel may show.
        #[schemars(with = "BTreeMap<String, form::Label>")]
        labels: BTreeMap<String, Field<String>>,
        /// What its messages show in addition to the facts: `labels`, `about` (which includes `runbook`). Absent: both, or neither if it has
        /// `tenants` or `labels`.
        #[schemars(with = "Vec<form::ShowWord>")]
        show: Vec<Field<Word>>,
        /// The language of its messages: `en`, `de` or `fr`; absent: that of the configuration.
        #[schemars(with = "form::LanguageName")]
        language: Word,
        /// IANA time zone of the times in its messages; absent: that of the configuration.
        #[schemars(with = "form::ZoneName")]
        timezone: Word,
        /// Least time between two sends.
        #[schemars(with = "form::SpanAboveZero")]
        pace: Word,
        /// Bounds of the back-off.
        retry: RawRetry,
        /// One attempt, body included.
        #[schemars(with = "form::SpanAboveZero")]
        timeout: Word,
        /// When waiting notifications go out as one.
        digest: RawDigest,
        /// How long a channel may go unproven before a drill is sent to it: `30d`, or `off`.
        #[schemars(with = "form::DrillSpan")]
        drill: Word,
        /// When it gets a report on its tenants: `weekly`, `daily`, `monthly` (a report on each tenant's month), `off`, or a schedule of its own.
        report: RawReport,
        /// Private and loopback receivers: `true`, `false` or a list of networks.
        allow_private: AllowPrivate,
        /// The template, by its name in the folder of templates.
        template: Word,
    }

    /// Bounds of the back-off between attempts.
    struct RawRetry {
        /// The first wait's upper bound.
        #[schemars(with = "form::SpanAboveZero")]
        first: Word,
        /// The longest time between two attempts.
        #[schemars(with = "form::SpanAboveZero")]
        max: Word,
        /// The age at which a delivery becomes a dead letter.
        #[schemars(with = "form::SpanAboveZero")]
        give_up: Word,
    }

    /// When waiting notifications go out as one.
    struct RawDigest {
        /// More than this many.
        #[schemars(with = "form::Count")]
        over: Word,
    }
}

/// A channel, before its kind's keys are read.
#[derive(Debug, Clone)]
pub(in crate::config) struct RawChannel {
    /// What every channel has.
    pub(in crate::config) common: RawCommon,
    /// The keys that its kind adds.
    pub(in crate::config) own: Own,
}

/// The keys of a channel as written, of which its kind reads those that it knows. There may be secrets among them.
#[derive(Clone)]
pub(in crate::config) struct Own(Value);

impl Own {
    /// The keys of one kind.
    pub(in crate::config) fn read<T: DeserializeOwned + Default>(&self) -> T {
        // The mapping was read once already, and no key of it makes reading fail.
        T::deserialize(self.0.clone()).unwrap_or_default()
    }

    /// The keys that are written.
    pub(in crate::config) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.as_mapping().into_iter().flat_map(serde_yaml::Mapping::keys).filter_map(Value::as_str)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for RawChannel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let own = Value::deserialize(deserializer)?;
        let common = RawCommon::deserialize(own.clone()).map_err(D::Error::custom)?;
        Ok(Self { common, own: Own(own) })
    }
}
