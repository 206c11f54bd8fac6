//! Tests across modules: one binary, one file per promise.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod docs;
mod egress;
mod harness;
mod house;
mod integration;
mod parsers;
mod promise;
mod signal;
mod store;
mod validators;
