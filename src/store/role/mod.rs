//! What a store does, one trait for each of its roles. Whoever needs one role takes that; a stub implements what it stubs.

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

pub use access::Access;
pub use audit::Audit;
pub use channels::Channels;
pub use checks::Checks;
pub use fleet::Fleet;
pub use holds::Holds;
pub use idempotency::{ABANDONED_AFTER, ANSWER_KEPT, Idempotency};
pub use listings::Listings;
pub use outages::Outages;
pub use outbox::Outbox;
pub use overview::Overview;
pub use roster::Roster;
pub use routing::Routing;
pub use silences::Silences;
pub use upkeep::Upkeep;
