//! Fleet shifts as the store keeps them.

use crate::{
    domain::{ChannelName, ScoreKind, Subject},
    notify::{
        DeliveryId,
        fleet::{
            group::{Occasion, Part},
            notice::{Covered, Others},
        },
        release::Decision,
    },
    rule::{AlertKey, ShiftedBy},
};

/// What a channel is to be sent of a fleet shift.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftNotice {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// What it is sent for.
    pub occasion: Occasion,
    /// The notifications that become its lines.
    pub members: Vec<ShiftMember>,
    /// Tenants that it also names.
    pub others: Others,
    /// Alerts of those tenants that the channel was notified of one by one, before it was known that they are part of the shift.
    pub notified_before: Vec<AlertKey>,
}

/// What waits of one alert for the channel of a notice.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftMember {
    /// What becomes of the deliveries that the notice does not cover.
    pub earlier: Vec<(DeliveryId, Decision)>,
    /// The held deliveries that it covers, oldest first.
    pub run: Vec<DeliveryId>,
    /// Its line in the notice's list.
    pub covered: Covered,
}

/// What a fleet shift did to one series of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesShift {
    /// The kind of score that it is about.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The identifier of the fleet shift.
    pub shift: String,
    /// When, and how much of the movement the shift accounts for.
    pub shifted_by: ShiftedBy,
    /// Whether the series moved farther than that.
    pub is_outlier: bool,
}

impl SeriesShift {
    /// Whether it is about that series.
    #[must_use]
    pub fn is_of(&self, score: ScoreKind, subject: Option<&Subject>) -> bool {
        self.score == score && self.subject.as_ref() == subject
    }

    /// Whether it is about the series of an alert; that of a whole tenant has none.
    #[must_use]
    pub fn is_of_alert(&self, score: Option<ScoreKind>, subject: Option<&Subject>) -> bool {
        score.is_some_and(|score| self.is_of(score, subject))
    }

    /// The same as a cause of notifications.
    #[must_use]
    pub fn part(&self) -> Part<'_> {
        Part {
            shift: &self.shift,
            at: self.shifted_by.at,
            is_outlier: self.is_outlier,
            is_up: self.shifted_by.by.is_up(),
        }
    }
}
