//! One visit to one tenant: fetch each score, judge it by the rules, commit the outcome.
//!
//! [`due`] says who is next, [`run`] visits, [`judge`] is the pure middle, [`close`] ends alerts whose rule or tenant is gone.

pub mod blind;
pub mod close;
pub mod due;
mod hold;
pub mod judge;
pub mod run;
mod series;

pub use due::DueQueue;
pub use run::{Checker, Visit};
