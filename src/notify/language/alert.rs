//! What a message about one alert says: its headline, its facts, its causes and its links.

use std::time::Duration;

use crate::rule::Resolution;

/// The texts of one language for messages about one alert.
pub(crate) struct AlertWords {
    /// A reminder: the score's name and its value.
    pub(crate) still: fn(&str, &str) -> String,
    pub(crate) keeps_changing: fn(&str) -> String,
    /// Its name, its value, and the value that was reported before.
    pub(crate) worsened: fn(&str, &str, Option<&str>) -> String,
    /// Its name, from what, to what.
    pub(crate) fell: fn(&str, &str, &str) -> String,
    pub(crate) rose: fn(&str, &str, &str) -> String,
    /// Its name and value.
    pub(crate) is: fn(&str, &str) -> String,
    /// How far it moved in all.
    pub(crate) overall: fn(&str) -> String,
    /// How far it moved, from what.
    pub(crate) moved_from: fn(&str, &str) -> String,
    pub(crate) higher_is_worse: &'static str,
    pub(crate) ended: fn(&Subject, &End<'_>) -> String,
    pub(crate) without_data: fn(&Subject, &Lack) -> String,
    /// Stands before the headline of a test.
    pub(crate) test_mark: &'static str,
    /// Stands before the headline of an escalation.
    pub(crate) escalated_mark: &'static str,
    pub(crate) can_be_reached: &'static str,
    pub(crate) is_drill: &'static str,
    pub(crate) is_over: &'static str,
    pub(crate) drill_reason: &'static str,
    pub(crate) drill_step: &'static str,
    pub(crate) what_to_do: &'static str,
    pub(crate) fact: fn(FactName) -> &'static str,
    pub(crate) not_acknowledged: &'static str,
    /// Within how long, and since when.
    pub(crate) not_acknowledged_within: fn(&str, &str) -> String,
    /// Controls that do not count.
    pub(crate) are_excluded: fn(usize) -> String,
    /// Until which day they do not.
    pub(crate) until_day: fn(&str) -> String,
    pub(crate) until_next_check: &'static str,
    /// The score with that number of them, as a percentage.
    pub(crate) with_them: fn(usize, &str) -> String,
    /// One number of another.
    pub(crate) of: fn(&str, &str) -> String,
    /// What is, and what was.
    pub(crate) before: fn(&str, &str) -> String,
    /// A period: from when, until when, how long.
    pub(crate) period: fn(&str, &str, &str) -> String,
    pub(crate) gained: fn(&str) -> String,
    pub(crate) lost: fn(&str) -> String,
    pub(crate) regressed: &'static str,
    pub(crate) likely: &'static str,
    pub(crate) changed: &'static str,
    /// Before the title of a control that is new, and of one that is gone.
    pub(crate) new_mark: &'static str,
    pub(crate) retired_mark: &'static str,
    /// A number of points that can be earned.
    pub(crate) to_earn: fn(&str) -> String,
    pub(crate) up_to: fn(&str) -> String,
    pub(crate) exposed: fn(u64, u64) -> String,
    /// How an alert stands, in a line of a message about several.
    pub(crate) state_worsened: &'static str,
    pub(crate) state_firing: &'static str,
    pub(crate) state_over: &'static str,
    pub(crate) state_unstable: &'static str,
    /// How many earlier messages this one covers.
    pub(crate) earlier: fn(usize) -> String,
    pub(crate) possible_duplicate: &'static str,
    pub(crate) test: &'static str,
    pub(crate) drill: &'static str,
    pub(crate) link: fn(LinkTo) -> &'static str,
}

/// What an alert is about, as the subject of a sentence.
pub(crate) struct Subject {
    pub(crate) text: String,
    /// Whether several things have that name.
    pub(crate) is_plural: bool,
}

/// How an alert ended.
pub(crate) enum End<'a> {
    /// Somebody, or time, accepted the value.
    Accepted(&'a str),
    /// For a reason that is not in the score.
    Because(EndReason),
    /// For a reason that the message gives.
    Over,
    /// The score can be read again; its value, where it is known.
    ReadAgain(Option<&'a str>),
    /// The score recovered to that value.
    Recovered(&'a str),
}

/// Why an alert is over whose score did not recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    Accepted,
    RuleChanged,
    RuleRemoved,
    TenantRemoved,
    SubjectRemoved,
}

impl EndReason {
    /// `None`: the score recovered.
    pub(crate) const fn of(resolution: Resolution) -> Option<Self> {
        match resolution {
            Resolution::Recovered => None,
            Resolution::Accepted => Some(Self::Accepted),
            Resolution::RuleChanged => Some(Self::RuleChanged),
            Resolution::RuleRemoved => Some(Self::RuleRemoved),
            Resolution::TenantRemoved => Some(Self::TenantRemoved),
            Resolution::SubjectRemoved => Some(Self::SubjectRemoved),
        }
    }
}

/// For how long there have been no data, or of how many scores.
pub(crate) enum Lack {
    /// Of a number of scores now, and of fewer before.
    More {
        total: usize,
        before: usize,
    },
    /// In a reminder: for how long it has been so.
    Still(Duration),
    For(Duration),
    Unknown,
}

/// The name of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactName {
    Scores,
    RemainingLoss,
    Loss,
    /// Which way is bad, where readers do not expect it.
    Direction,
    Points,
    LastReading,
    Excluded,
    Since,
    Acknowledged,
    Escalated,
    Severity,
    Rule,
    Class,
    Channel,
    Expires,
    From,
    Until,
    Tenant,
    Labels,
}

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkTo {
    Confirmation,
    AppRegistration,
    Consent,
    EnterpriseApps,
    SignInLogs,
    ErrorCode,
    ConditionalAccess,
    PowerAutomate,
    SlackApps,
    PagingService,
    Settings,
    SecureScore,
    VulnerabilityManagement,
    Portal,
    Runbook,
    /// The page of one alert.
    Alert,
    /// The list of our channels.
    Channels,
    Dashboard,
}
