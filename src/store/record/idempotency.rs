//! Actions that are done once, however often they are asked for.

use crate::domain::Timestamp;

/// How an action was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The HTTP status of the recorded answer.
    pub status: u16,
    /// The body of the recorded answer, as JSON.
    pub body: String,
}

/// What is known of an action that is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is to be done now, and its answer recorded.
    First,
    /// It was done before, and answered so.
    Answered(RecordedAnswer),
    /// It was done, or begun if it takes several transactions, and how it was answered is not known: the process did not survive until
    /// then, or the answer is on its way, or it is kept nowhere.
    Done {
        /// The number of the first entry in the audit log that says so.
        entry: u64,
        /// When the request was first seen.
        at: Timestamp,
    },
    /// It is being done.
    InProgress,
    /// The key belongs to another action.
    OtherRequest,
}
