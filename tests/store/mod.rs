//! One conformance suite for every store, and what is particular to each.

mod channel;
mod conformance;
mod fixture;
mod fleet;
mod hold;
mod merge;
mod outbox;
mod samples;
mod sqlite;
