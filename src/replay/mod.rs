//! What rules would have sent on a course of readings. Pure: time comes with the readings, and nothing is fetched, stored or sent.
//!
//! [`history`] says what happened to a tenant → [`fleet`] finds the shifts in what was read of all → [`walk`] takes each tenant's alerts through that with the very [`crate::rule::step`] that the
//! service uses, which gives messages → [`stages`] says which of them would have been sent, as what, and what was suppressed.
//! [`many`] walks many tenants at once; [`expect`] holds what was sent against what was to be sent.
//!
//! A replay assumes that every message arrives immediately, and that rules, labels, channels, silences and windows were always what
//! they are now. A test holds the walk to what a real check makes of the same readings.

mod alert;
pub mod ceiling;
pub mod expect;
pub mod fleet;
pub mod history;
pub mod many;
pub mod message;
mod no_data;
mod series;
pub mod stages;
pub mod walk;

/// What stands for the store's identity in ids.
const STORE: &str = "replay";

pub use fleet::Fleet;
pub use history::{History, Look, Plan, Receiver, ScoreHistory, SeriesHistory};
pub use message::{Message, Sent, Stage, Suppressed};
pub use stages::{Outcome, send};
pub use walk::walk;
