//! What is recorded of what a test does as a person.

use scorewatch::{
    domain::{Caller, Timestamp},
    store::NewEntry,
};

/// The entry of something that somebody did at that time.
pub(crate) fn by_ann(at: Timestamp) -> NewEntry {
    NewEntry::by(&Caller::local("ann"), "test.act", None, at)
}
