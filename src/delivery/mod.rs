//! From the outbox to the receiver: claim, compose, send, settle. An attempt is recorded before it is made.

mod addresses;
mod admission;
mod attempt;
mod budget;
mod context;
mod destination;
pub mod dispatch;
pub mod drill;
mod fetch;
mod fleet;
pub mod operator;
mod outcome;
mod release;
mod reroute;
pub mod secrets;
pub mod send;
mod trouble;
pub mod worker;

pub use context::Context;
pub use dispatch::Dispatcher;
