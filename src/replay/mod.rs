//! What rules would have sent on a course of readings. Pure: time comes with the readings, and nothing is fetched, stored or sent.
//!
//! [`course`] says what happened to a tenant → [`fleet`] finds the shifts in what was read of all → [`walk`] takes each tenant's alerts through that with the very [`crate::rule::step`] that the
//! service uses, which gives messages → [`stages`] says which of them would have been sent, as what, and what was suppressed.
//! [`many`] walks many tenants at once; [`expect`] holds what was sent against what was to be sent.
//!
//! A replay assumes that every message arrives at once, and that rules, labels, channels, silences and windows were always what
//! they are now. A test holds the walk to what a real check makes of the same readings.

pub mod ceiling;
pub mod course;
pub mod expect;
pub mod fleet;
mod life;
pub mod many;
pub mod message;
mod no_data;
pub mod stages;
mod strand;
pub mod walk;

/// What stands for the store's identity in ids.
const STORE: &str = "replay";

pub use course::{Course, Look, Plan, Receiver, ScoreCourse, SeriesCourse};
pub use fleet::Fleet;
pub use message::{Message, Sent, Stage, Suppressed};
pub use stages::{Outcome, send};
pub use walk::walk;
