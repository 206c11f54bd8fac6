//! Which notifications go out as lines of one message: those that movements of one shift caused, and those that come together of
//! alerts that a notice covered. Pure; the service and a replay ask the same.

pub use crate::notify::facts::fleet::Occasion;
use crate::{
    domain::Timestamp,
    notify::{NotificationType, release::HeldDelivery},
    rule::Condition,
};

/// Fewer notifications than this that only time or a person brought together are sent one by one.
pub const TOGETHER_MIN: usize = 2;

/// One movement of a series that is part of a shift, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The identifier of the fleet shift.
    pub shift: &'a str,
    /// The time of the reading that shows it.
    pub at: Timestamp,
    /// Whether the movement stands out.
    pub is_outlier: bool,
    /// Whether the score rose.
    pub is_up: bool,
}

impl Part<'_> {
    /// Whether the movement can have caused a notification of this kind: an alert that fires although the score rose is about a loss
    /// of the tenant's own.
    fn may_cause(&self, kind: NotificationType, when: &Condition) -> bool {
        let is_up_worse = when.further(0.0, 1.0) > 0.0;
        match kind {
            NotificationType::AlertFiring | NotificationType::AlertWorsened => self.is_up == is_up_worse,
            NotificationType::AlertResolved => self.is_up != is_up_worse,
            _ => true,
        }
    }
}

/// How a run of held notifications goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs<'a> {
    /// As a line of a message: of which shift, for which occasion.
    To(&'a str, Occasion),
    /// On its own: it came with a shift and stands out from it.
    Apart,
    /// On its own: no shift that is known has to do with it.
    ToNone,
}

/// How a run of held notifications of a rule's alert goes out. `parts` are the movements of its series that are part of a shift,
/// `covered_by` the shift whose notice covered its alert.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "an iterator that is cloned for each step is cheap to give away")]
pub fn of_run<'a>(
    steps: &[HeldDelivery],
    when: &Condition,
    parts: impl Iterator<Item = Part<'a>> + Clone,
    covered_by: Option<&'a str>,
) -> Belongs<'a> {
    use NotificationType as Kind;
    for step in steps.iter().rev().filter(|step| !step.is_withdrawn()) {
        let times = match step.kind {
            // With a `for`, it fires some time after the condition began to hold.
            Kind::AlertFiring => [step.observed_at, step.began],
            Kind::AlertWorsened | Kind::AlertUnstable => [step.observed_at, None],
            Kind::AlertResolved if !step.is_accepted => [step.observed_at, None],
            _ => continue,
        };
        let caused = parts.clone().find(|part| times.contains(&Some(part.at)));
        match caused {
            Some(part) if part.is_outlier || !part.may_cause(step.kind, when) => return Belongs::Apart,
            Some(part) => return Belongs::To(part.shift, Occasion::Shift),
            None => {}
        }
    }
    let occasion = match steps.last() {
        Some(newest) if newest.kind == Kind::AlertReminder => Occasion::Reminders,
        Some(newest) if newest.kind == Kind::AlertEscalated => Occasion::Escalations,
        Some(newest) if newest.kind == Kind::AlertResolved && newest.is_accepted => Occasion::Accepted,
        _ => return Belongs::ToNone,
    };
    covered_by.map_or(Belongs::ToNone, |shift| Belongs::To(shift, occasion))
}
