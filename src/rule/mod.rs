//! Rules and the life of an alert: pure functions over values. Time comes in as a parameter; equal arguments, equal answer.
//!
//! A reading comes → [`baseline`] says what it is compared with (known fleet shifts apart: [`shift`]) → [`condition`] says whether it holds, [`loss`] by how much →
//! [`evaluate`] gives the new state of the [`alert`] and what there is to report ([`transition`]) → [`display`] rounds it for people.
//! [`explain`] says why, with the same functions.

pub mod alert;
pub mod baseline;
pub mod condition;
pub mod context;
pub mod definition;
pub mod display;
pub mod evaluate;
pub mod explain;
mod in_words;
pub mod loss;
pub mod name;
pub mod shift;
pub mod transition;

pub use alert::{
    Against, Alert, AlertKey, AlertState, Ended, Escalated, Firing, Flapping, Gap, Pending, Unread, Unstable,
};
pub use condition::{BaselineChoice, Change, Condition, Recover, Size, Terms};
pub use context::{Amount, EvaluationContext, Event, Feed, MISSED_MAX, ShiftedBy};
pub use definition::{Escalation, FlapLimit, Guide, Rule};
pub use evaluate::{Step, accept, close, remind_once, step};
pub use explain::{Explanation, explain};
pub use in_words::durations_in_words;
pub use name::RuleName;
pub use transition::{Resolution, Transition, TransitionKind, Unacknowledged};
