//! A Microsoft cloud and chat receivers on loopback, with their faults: for `demo`, the tests and the benchmarks.
//!
//! [`cloud::Cloud`] answers as Entra and Defender do, [`receiver::Receivers`] as Teams, Slack and any webhook do; both can be
//! made to misbehave in every documented way ([`reply::Reply`]). Absent by design: a clock. Whoever starts a cloud
//! brings the time.

mod body;
pub mod cloud;
mod listener;
pub mod receiver;
pub mod reply;
pub mod scenario;
mod script;
#[cfg(test)]
mod wire;

pub use cloud::Cloud;
pub use receiver::Receivers;
pub use reply::Reply;
