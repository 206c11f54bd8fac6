//! One visit to one tenant: fetch each score, judge it by the rules, ask why if an alert fires, commit the outcome.
//!
//! [`due`] says who is next, [`run`] visits, [`judge`] is the pure middle, [`reason`] asks why, [`close`] ends alerts whose rule or tenant is gone,
//! [`outage`] says when many tenants that can't be read are one message, [`slow`] who is asked less often.
//! [`outlook`] says how alerts stand and why, and writes nothing.

pub mod blind;
pub mod close;
pub mod due;
mod fetched;
pub mod hold;
pub mod judge;
pub mod outage;
pub mod outlook;
pub mod reason;
pub mod run;
mod series;
pub mod slow;

pub use due::DueQueue;
pub use run::{Checker, Visit};
