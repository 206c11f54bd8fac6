//! Actions that are done once, however often they are asked for.

/// An action as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Who sent it; keys of one caller mean nothing to another.
    pub caller: String,
    /// The key that the caller drew for it.
    pub key: String,
    /// Of everything that was asked: the same key with another fingerprint is a mistake.
    pub fingerprint: String,
}

/// How an action was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON.
    pub body: String,
}

/// What is known of an action that is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is to be done now, and its answer recorded.
    First,
    /// It was done before, and answered so.
    Answered(RecordedAnswer),
    /// It is being done.
    InProgress,
    /// The key belongs to another action.
    OtherRequest,
}
