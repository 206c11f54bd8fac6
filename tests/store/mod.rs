//! One conformance suite for every store, and what is particular to each.

mod conformance;
mod fixture;
mod outbox;
mod samples;
mod sqlite;
