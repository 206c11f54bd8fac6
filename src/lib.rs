//! Scorewatch visits many tenants on a schedule, fetches their Microsoft security scores, judges them by rules and tells people.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

// Pure: values in, values out.
pub mod diagnostic;
pub mod domain;
pub mod notify;
pub mod replay;
pub mod rule;
pub mod schedule;

// The edges: clock, secrets, network, disk.
pub mod channel;
pub mod clock;
pub mod crash_point;
pub mod egress;
pub mod microsoft;
pub mod secret;
pub mod secret_store;
pub mod store;
pub mod systemd;
pub mod task;
pub mod telemetry;
pub mod template;
pub mod zones;

// The flows.
pub mod check;
pub mod config;
pub mod delivery;
pub mod service;
pub mod simulation;
pub mod web;

// The door.
pub mod cli;
