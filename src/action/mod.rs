//! What a person may do: silence, acknowledge, accept, drill, unpark, resend, preview, send a tenant's month, ask for a check.
//!
//! Every action takes the [`Caller`](crate::domain::Caller), asks for the role that it takes, does nothing beyond the caller's scope (what
//! lies outside is not found), and is recorded in the audit log by the transaction that does it. An action
//! writes to the store beside the running service, which acts on it within seconds; it answers with values, like
//! [`crate::query`]. A further action is a function of its own file here, with a line in `tests/integration/scope.rs`.

pub mod account;
pub mod alert;
pub mod channel;
pub mod delivery;
pub mod drill;
pub mod limits;
pub mod month;
pub mod preview;
mod record;
pub mod silence;
pub mod store;
pub mod tenant;
pub mod token;
