//! The service: wires the layers together, drives the recurring jobs, and stops cleanly.

pub mod absence;
pub mod blindness;
pub mod clockwork;
pub mod credential;
pub mod descriptors;
pub mod drill;
pub mod planner;
pub mod report;
pub mod roster;
pub mod silence;
pub mod start;

pub use start::{Service, StartError};
