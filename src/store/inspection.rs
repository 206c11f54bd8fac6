//! What a look at a store shows that changes nothing, whatever the version that wrote it.

/// What a look at a store shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its schema.
    pub schema: u64,
    /// The schema that this version works with.
    pub newest: u64,
    /// What is damaged, as the database says it; the first few.
    pub faults: Vec<String>,
    /// The triggers that are to keep the audit log as it is, and are not there as they were made. Of an older schema they aren't looked for.
    pub unguarded: Vec<String>,
    /// The process on this machine that has it as the service; `None`: there is none, or it can't be determined.
    pub process: Option<u32>,
}
