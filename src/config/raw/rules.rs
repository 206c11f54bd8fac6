//! Rules as people write them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, form};
use crate::config::field::{Field, Word};

raw! {
    /// A rule file: a list of rules.
    struct RawRules {
        /// The rules of the file, in order.
        rules: Vec<Field<RawRule>>,
    }

    /// A condition on a score, the tenants that it applies to, and what to do.
    #[schemars(extend("required" = ["name", "when"], "anyOf" = form::rules()))]
    struct RawRule {
        /// The name, unique over all rule files.
        #[schemars(with = "form::Name")]
        name: Word,
        /// The score judged; may be absent with `no_data`.
        #[schemars(with = "form::ScoreName")]
        score: Word,
        /// The labels of the tenants that it applies to; absent: all.
        #[schemars(with = "BTreeMap<String, form::Label>")]
        tenants: BTreeMap<String, Field<String>>,
        /// The condition under which the rule's alert fires.
        when: RawCondition,
        /// What must hold for the alert to be over.
        recover: RawRecover,
        /// How long the condition must have held.
        #[schemars(with = "form::Span")]
        r#for: Word,
        /// `info`, `warning` or `critical`.
        #[schemars(with = "form::SeverityName")]
        severity: Word,
        /// The time between two reminders of a firing alert.
        #[schemars(with = "form::SpanAboveZero")]
        repeat: Word,
        /// How much further a `below` or `above` must go to be reported again.
        #[schemars(with = "form::Size")]
        step: Word,
        /// After how long a `drop` or `rise` is accepted as the new level.
        #[schemars(with = "form::SpanAboveZero")]
        accept_after: Word,
        /// Channels that are notified.
        #[schemars(with = "Vec<form::Name>")]
        notify: Vec<Field<Word>>,
        /// Further channels for a firing alert that nobody has acknowledged: one step, or a list of them.
        escalate: OneOrMany<RawEscalation>,
        /// `off`: the channels that tenants name themselves are not notified, only those under `notify`.
        #[schemars(with = "form::Switch")]
        tenant_channels: Word,
        /// This rule is meant to fire on good news.
        good_news: bool,
        /// `off`: this rule takes no part in fleet shifts.
        #[schemars(with = "form::Switch")]
        fleet: Word,
        /// `off`: every change of this rule's alerts is reported, however many there are.
        #[schemars(with = "form::Switch")]
        flapping: Word,
        /// What it is for, in one or two sentences; messages show it.
        #[schemars(with = "form::Text")]
        about: Word,
        /// What to do when it fires: an `https` link or a short text; messages show it.
        #[schemars(with = "form::Runbook")]
        runbook: Word,
    }

    /// When nobody has acknowledged a firing alert, and whom to notify then.
    #[schemars(extend("required" = ["after", "notify"]))]
    struct RawEscalation {
        /// How long the alert may go without an acknowledgement.
        #[schemars(with = "form::SpanAboveZero")]
        after: Word,
        /// Channels that are notified then, and from then on of all that becomes of the alert.
        #[schemars(with = "Vec<form::Name>", extend("minItems" = 1))]
        notify: Vec<Field<Word>>,
    }

    /// What must hold for a rule to fire: exactly one of the first five.
    #[schemars(extend("oneOf" = form::conditions()))]
    struct RawCondition {
        /// The value is less than this.
        #[schemars(with = "form::Threshold")]
        below: Word,
        /// The value is greater than this.
        #[schemars(with = "form::Threshold")]
        above: Word,
        /// The value fell by at least this: `5%` or `20pts`.
        #[schemars(with = "form::Size")]
        drop: Word,
        /// The value rose by at least this: `5%` or `20pts`.
        #[schemars(with = "form::Size")]
        rise: Word,
        /// There was no reading for this long.
        #[schemars(with = "form::SpanAboveZero")]
        no_data: Word,
        /// How far back the baseline may lie.
        #[schemars(with = "form::SpanAboveZero")]
        within: Word,
        /// `best`, `previous` or `average`.
        #[schemars(with = "form::BaselineName")]
        from: Word,
    }

    /// What must hold for an alert to be over.
    #[schemars(extend("oneOf" = form::one_of(&["above", "below", "regained"])))]
    struct RawRecover {
        /// The value is greater than this.
        #[schemars(with = "form::Threshold")]
        above: Word,
        /// The value is less than this.
        #[schemars(with = "form::Threshold")]
        below: Word,
        /// This share of the loss is regained: `80%`.
        #[schemars(with = "form::Share")]
        regained: Word,
    }
}
