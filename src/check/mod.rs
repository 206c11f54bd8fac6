//! One visit to one tenant: fetch each score, judge it by the rules, ask why if an alert fires, commit the outcome.
//!
//! [`due`] says who is next, [`run`] visits, [`judge`] is the pure middle, [`reason`] asks why, [`close`] ends alerts whose rule or tenant is gone.

pub mod blind;
pub mod close;
pub mod due;
pub mod judge;
pub mod reason;
pub mod run;
mod series;

pub use due::DueQueue;
pub use run::{Checker, Visit};
