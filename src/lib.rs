//! Scorewatch visits many tenants on a schedule, fetches their Microsoft security scores, evaluates rules, and notifies channels.
//!
//! # The path of one check
//!
//! 1. [`service::planner`] wakes every second and takes the tenants that are due ([`check::due`], by [`schedule`]).
//! 2. [`check::run`] fetches the tenant's scores with [`microsoft`], whose requests leave through [`egress`].
//! 3. [`check::judge`] evaluates every rule on every series. It is pure: the one place that moves an alert is
//!    [`rule::evaluate::step`], and [`notify::compose`] turns a transition into a notification.
//! 4. [`store::Store::commit`] writes samples, alerts and deliveries in one transaction.
//! 5. [`delivery`] claims a delivery, lets its [`channel`] compose the request, sends it through [`egress`], and records what
//!    the channel reads in the answer.
//!
//! What a silence or a possible fleet shift covers is committed as held; [`notify::release`] and [`notify::fleet`] decide about it.
//!
//! # What people ask and do
//!
//! [`query`] answers questions with plain values and [`action`] does what a person wants done, both for the tenants of the caller's
//! [`domain::Scope`] and nothing beyond. [`page`] writes an answer as HTML. [`cli`] reads arguments and prints; [`web`] serves. Neither decides anything.
//!
//! # Layers
//!
//! [`domain`], [`diagnostic`], [`schedule`], [`rule`], [`notify`] and [`replay`] are pure: values in, values out, and the time is
//! a parameter. Absent by design: a system clock outside [`clock`], sockets outside [`egress`], SQL outside [`store`], an HTTP
//! client in [`channel`], and rules in [`delivery`]. `ARCHITECTURE.md` has the whole table, and a test holds the code to it.
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
pub mod oidc;
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

// What a person may ask and do.
pub mod action;
pub mod page;
pub mod query;

// The doors.
pub mod cli;
pub mod web;
