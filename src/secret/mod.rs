//! Secrets are references until the moment they are used; then they are `SecretString`s, which print as nothing.

mod fault;
mod passed_on;
pub mod password;
mod permission;
pub mod reader;
pub mod redact;
pub mod reference;
pub mod store;
mod threads;

pub use passed_on::PassedOn;
pub use permission::this_user;
pub use redact::redact_url;
pub use reference::{SecretError, SecretReference};
pub use secrecy::{ExposeSecret, SecretString};
pub use store::{Item, SecretStore, Stored};
