//! The name of a place that receives notifications.

use super::name::name;

name! {
    /// A channel's name, as written under `channels:`.
    ChannelName
}
