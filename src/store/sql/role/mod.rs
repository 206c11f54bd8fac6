//! The roles of an SQL store; each entry only hands over to the module that does it.

mod access;
mod audit;
mod channels;
mod checks;
mod fleet;
mod holds;
mod idempotency;
mod listings;
mod outages;
mod outbox;
mod overview;
mod roster;
mod routing;
mod silences;
mod upkeep;
