//! One visit to one tenant: fetch each score, judge it by the rules, commit the outcome.
//!
//! [`due`] says who is next, [`run`] visits, [`judge`] is the pure middle, [`close`] ends alerts whose rule or tenant is gone,
//! [`outlook`] says how alerts stand and why, and writes nothing.

pub mod blind;
pub mod close;
pub mod due;
pub mod judge;
pub mod outlook;
pub mod run;
mod series;

pub use due::DueQueue;
pub use run::{Checker, Visit};
