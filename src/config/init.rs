//! A new working folder: answers → files, all of them or none, which the whole check then accepts or takes away again.
//!
//! [`Answers`] are validated one by one ([`answers`]) → [`files`] writes what is in each file → [`place()`] puts them on the disk
//! → the configuration is checked there as `scorewatch check` does it.

mod answers;
mod files;
mod rules;
#[cfg(test)]
mod tests;
mod trial;

pub use super::place::{NewFile, PlaceError, Placed, existing, place};
pub use answers::{
    Answers, NewChannel, NewTenant, Target, client_secret, day, display_name, guid, one_line, slug_of, timezone,
};
pub use files::files;
pub use trial::channel_complaint;
