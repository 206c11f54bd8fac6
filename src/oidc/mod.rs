//! Sign-in with OpenID Connect: code with PKCE, through the one door to the network.
//!
//! [`Provider::begin`] says where to send the browser, [`Pending`] is what it takes along in a cookie, and [`Provider::finish`] makes
//! [`SignedIn`] of what it brings back: it redeems the code, verifies the ID token, finds out the groups, and asks [`Settings::grants`]
//! what they allow. Absent by design: pages, sessions and accounts, which are `web/access`'s.
//!
//! ID tokens are verified here over aws-lc, which also signs this program's assertions, and not by a library for tokens: such a library
//! reads the system clock for `exp`, offers the shared-key algorithms that must never be accepted, and would bring six crates for what
//! are two calls in [`keys`].

mod cache;
mod callback;
mod claims;
mod document;
mod error;
mod exchange;
pub mod grant;
mod jws;
mod keys;
mod overage;
mod pending;
mod provider;
pub mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod wire;

pub use error::{SignInError, SignInFailure};
pub use grant::{Grant, Granted, Membership, Reach, Who, decide};
pub use keys::Algorithm;
pub use pending::{PENDING_WITHIN, Pending};
pub use provider::{Begun, Provider, Providers, SignedIn};
pub use settings::{Entra, Settings};
