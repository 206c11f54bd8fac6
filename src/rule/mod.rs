//! Rules and the life of an alert: pure functions over values. Time comes in as a parameter; equal arguments, equal answer.

pub mod alert;
pub mod baseline;
pub mod condition;
pub mod definition;
pub mod evaluate;

pub use alert::{Alert, AlertKey, AlertState, Firing, Pending};
pub use condition::{BaselineChoice, Change, Condition, Recover, Size};
pub use definition::{Rule, RuleName};
pub use evaluate::{Event, Resolution, Situation, Step, Transition, TransitionKind, step};
