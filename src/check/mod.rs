//! One visit to one tenant: fetch each score, judge it by the rules, ask why if an alert fires, commit the outcome.
//!
//! [`due`] says who is next, [`run`] visits, [`judge`] is the pure middle, [`reason`] asks why, [`close`] ends alerts whose rule or tenant is gone,
//! [`outage`] says when many tenants that can't be read are one message, [`slow`] who is asked less often.
//! [`succession`] turns alerts of an older store, one for each score without data, into the one of the tenant.
//! [`downtime`] says when we ourselves were down. [`history`] completes windows from the store's archive. [`outlook`] says how alerts stand and why, and writes nothing.

pub mod backed_off;
pub mod blind;
pub mod close;
pub mod downtime;
pub mod due;
mod fetched;
pub mod history;
pub mod hold;
pub mod judge;
mod moved;
pub mod outage;
pub mod outlook;
pub mod plan;
pub mod reason;
pub mod run;
mod series;
mod succession;

pub use due::DueQueue;
pub use run::{Checker, Visit};
