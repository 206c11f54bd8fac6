//! Sign-ins against a provider on loopback: what lets somebody in, and everything that does not.

mod provider;
mod token;
pub(crate) mod world;
