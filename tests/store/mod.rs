//! One conformance suite for every store, and what is particular to each.

mod access;
mod audit;
mod average;
mod blindness;
mod channel;
mod conformance;
mod dead;
mod erase;
mod excluded;
mod fixture;
mod fleet;
mod hold;
mod idempotency;
mod merge;
mod migration;
mod outbox;
mod reading;
mod recommendation;
mod restore;
mod route;
mod samples;
mod silence;
mod sqlite;
mod succession;
mod tenant;
mod withdrawn;
