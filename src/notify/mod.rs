//! What is said, to whom, and how it fares on its way: pure values and functions.

pub mod alert_notes;
pub mod backoff;
pub mod channel_health;
pub mod compose;
pub mod delivery;
pub mod digest;
pub mod drill;
pub mod envelope;
pub mod excluded;
pub mod facts;
pub mod fleet;
pub mod hold;
pub mod identity;
pub mod language;
pub mod maintenance;
pub mod month;
pub mod notification;
pub mod parking;
pub mod queue;
pub mod reading;
pub mod reason;
pub mod release;
pub mod report;
pub mod reroute;
pub mod route;
pub mod settle;
pub mod silence;
pub mod turn;

pub use channel_health::ChannelHealth;
pub use delivery::{Delivery, DeliveryId, DeliveryState};
pub use envelope::Envelope;
pub use hold::{Hold, HoldReason};
pub use identity::{NotificationId, ShortId};
pub use maintenance::Maintenance;
pub use notification::{Notification, NotificationType};
pub use silence::{Silence, SilenceId};
