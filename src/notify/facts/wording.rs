//! The values behind the texts of a notification, by which each channel puts them into its own language. They are kept in the store
//! beside the English text and are in no message. A notification of an older version has none: it is sent as it was written.

use serde::{Deserialize, Serialize};

use super::cause::{CauseKind, Part};
use crate::{
    domain::{ScoreKind, Severity, Timestamp},
    rule::{Gap, Resolution},
};

/// What the message of an alert says in addition to its numbers; see `AlertFacts::reason`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Remark {
    /// Why it is over.
    Ended {
        /// Why the alert is over.
        resolution: Resolution,
        /// Who accepted the level, if that is how.
        accepted_by: AcceptedBy,
    },
    /// It fires and recovers too often.
    Unstable {
        /// How many changes are reported,
        changes: u32,
        /// within this time, in seconds.
        within: u64,
        /// For how long it must be stable, in seconds.
        calm: u64,
    },
    /// The value lies between the rule's two thresholds.
    Between,
    /// The change spans a gap in the readings.
    Across(Gap),
    /// Nothing can be read now.
    Unread {
        /// When the last reading was made.
        last_reading: Option<Timestamp>,
        /// Why; `None`: checks succeed.
        failure: Option<Failure>,
    },
    /// What is said of each score without data, together.
    NoData,
}

/// Who accepted a loss as the new level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcceptedBy {
    /// Nobody: the rule's `accept_after` has passed.
    #[default]
    Time,
    /// A person; `None`: the name is not known.
    Person(Option<String>),
    /// Nobody: the evidence proves that Microsoft changed the score.
    Evidence,
}

/// Why checks fail, as everybody may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The first failed check since the last good one.
    pub since: Timestamp,
    /// The class of the failure, for machines.
    pub class: String,
    /// Whether others are affected, too.
    #[serde(default)]
    pub spread: Option<Spread>,
    /// What to do, in English; `None`: there is nothing to do.
    pub hint: Option<String>,
}

/// Why a score gives no data; see `NoDataFacts::reason`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    /// A tenant's checks fail, for this reason.
    Failure(Failure),
    /// Checks succeed, and the source gives nothing new.
    NothingNew,
}

impl Lack {
    /// Why checks fail; `None`: they succeed.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::NothingNew => None,
        }
    }
}

/// Whom a failure affects in addition to the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Microsoft's service fails, or the way to it.
    Outage,
    /// Something that several tenants have in common.
    Shared,
}

/// Why a score moved, or why that can't be said; see `Facts::explanation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Why {
    /// As the records of two days show it.
    Records {
        /// The earlier of the two days that are compared.
        from: Timestamp,
        /// The maximum on both days, in points.
        maximum: (f64, f64),
        /// The parts of the change.
        parts: Vec<Part>,
        /// Whether products came, and whether some went; `None`: the records do not say.
        products: Option<(bool, bool)>,
        /// What the new controls are worth; `None`: some of it is not known.
        added: Option<f64>,
        /// Whether the controls that came and went explain how the maximum moved.
        is_explained: bool,
    },
    /// As Defender's recommendations suggest.
    Recommendations {
        /// What the recommendations show of the score.
        shown: Shown,
        /// The day with which they are compared.
        since: Option<Timestamp>,
        /// Whether the score is of a part of the tenant, and they are of all.
        is_part: bool,
        /// Whether the whole list was read.
        is_complete: bool,
    },
    /// There is nothing to compare with.
    NoEarlierRecord,
    /// Microsoft does not give the record of that day.
    NoRecord {
        /// The day that is missing.
        day: Timestamp,
    },
    /// Microsoft did not answer in time.
    TooSlow,
    /// The service was about to stop.
    Stopping,
    /// The app may not read recommendations.
    RoleMissing {
        /// The role that it lacks.
        role: String,
    },
    /// Microsoft could not be asked.
    Failed {
        /// Why it could not be asked, in English.
        what: String,
    },
}

/// What Defender's recommendations show of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// None weighs in the score.
    Nothing,
    /// How many have changed for the worse.
    Changed(usize),
    /// None has changed for the worse.
    Unchanged,
    /// There is no earlier list.
    NoEarlierList,
}

/// Some of a tenant's scores can't be read; the others can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadPart {
    /// Those that can't.
    pub scores: Vec<ScoreKind>,
    /// How many the tenant is polled for.
    pub of: usize,
}

/// What an operator message says; see `OperatorFacts`. Texts in it are English, as what failed gave them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is named after what its text says")]
pub enum News {
    TenantUnread {
        class: String,
        hint: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<UnreadPart>,
    },
    TenantReadAgain,
    TenantUnwatched,
    Outage {
        cause: OutageCause,
        class: String,
        count: usize,
        of: usize,
        named: Vec<String>,
        before: usize,
        hint: Option<String>,
    },
    OutageOver {
        cause: OutageCause,
        count: usize,
        named: Vec<String>,
        left: usize,
        seconds: u64,
    },
    OutageOfTenant {
        whole: Option<Box<News>>,
    },
    ChannelParked {
        reason: String,
        waiting: u64,
        is_still: bool,
    },
    ChannelLacksSecret {
        reason: String,
        waiting: u64,
    },
    ChannelFailing {
        error: String,
    },
    ChannelWorksAgain,
    ChannelUnproven {
        was_proven: bool,
        by_people: bool,
    },
    DeadLetters {
        count: u64,
        cause: String,
        first: i64,
    },
    SecretsUnreadable {
        error: String,
        hint: String,
    },
    SecretsReadable,
    Downtime {
        was_suspended: bool,
        /// Whether it ran, but could not write to its store.
        #[serde(default)]
        lacked_store: bool,
        seconds: u64,
    },
    CredentialExpires {
        what: CredentialType,
        whose: Whose,
        days: u32,
    },
    CredentialPassedOver {
        what: CredentialType,
        whose: Whose,
        error: String,
        class: String,
        hint: Option<String>,
    },
    ConfigurationRejected {
        errors: usize,
        is_still: bool,
        first: String,
        /// The replicas that reject it, if several share the store.
        #[serde(default)]
        places: Vec<String>,
    },
    ConfigurationAccepted,
    ConfigurationsDiffer {
        places: Vec<String>,
    },
    ConfigurationsAgree,
    VersionsDiffer {
        places: Vec<String>,
    },
    Silenced {
        id: i64,
        author: String,
        everybody: bool,
        seconds: u64,
        /// Whether the message leads to the page on which it can be ended.
        #[serde(default)]
        has_page: bool,
        #[serde(default)]
        covers: Covered,
    },
    TaskFailed {
        task: String,
    },
    PartFailed {
        task: String,
        error: String,
    },
    StoreFileGone {
        what: String,
    },
}

/// What a silence covers. Of each kind that is named one must match; empty kinds match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Covered {
    /// The tenants, by id.
    pub tenants: Named,
    /// The labels, `KEY=VALUE`.
    pub labels: Named,
    /// The rules, by name.
    pub rules: Named,
    /// The scores.
    pub scores: Vec<ScoreKind>,
    /// The severities.
    pub severities: Vec<Severity>,
}

/// The first names of several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Named {
    /// The names.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// What the tenants of an outage have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutageCause {
    /// Microsoft's service, or the way to it; or a refusal of all alike.
    Microsoft,
    /// The clock of this machine.
    Clock,
    /// A proxy on our side.
    Proxy,
    /// The credential of an app, which Microsoft rejects.
    Credential(String),
    /// The credential of an app, which can't be read on this machine.
    UnreadableCredential(String),
    /// An app of Microsoft Entra, by its client id.
    App(String),
}

/// What an app signs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialType {
    /// The client secret of an app.
    Secret,
    /// The certificate of an app.
    Certificate,
    /// A token that another identity provider issued for the app.
    FederatedToken,
}

/// Whose credential it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// One tenant's, by its slug.
    Tenant(String),
    /// An app's that many tenants share.
    App {
        /// The client id of the app that the credential belongs to.
        client_id: String,
        /// How many tenants it reads.
        tenants: usize,
    },
}

impl Why {
    /// Whether records show a fall in which no control of the tenant lost points.
    #[must_use]
    pub fn is_fall_without_loss(&self) -> bool {
        let Self::Records { parts, .. } = self else { return false };
        let has_lost =
            |part: &Part| matches!(part.kind, CauseKind::Lost | CauseKind::Unexplained) && part.percent < 0.0;
        parts.iter().map(|part| part.percent).sum::<f64>() < 0.0 && !parts.iter().any(has_lost)
    }
}
