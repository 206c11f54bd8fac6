//! The service: wires the layers together, drives the recurring jobs, and stops cleanly.

pub mod acceptance;
pub mod blindness;
pub mod credential;
pub mod descriptors;
pub mod doctor;
pub mod downtime;
pub mod drill;
pub mod engine;
pub mod faults;
mod jobs;
pub mod month;
mod orphans;
mod part;
pub mod planner;
mod recorded;
mod rejection;
mod replica;
pub mod report;
pub mod roster;
pub mod round;
pub mod secrets;
pub mod silence;
pub mod start;
pub mod ticker;
mod visit;
pub mod watchdog;

pub use engine::StartError;
pub use start::Service;
