//! What messages about fleet shifts say.

/// The texts of one language for messages about fleet shifts.
pub(crate) struct ShiftWords {
    /// A score's name, by how much it moved, how many tenants.
    pub(crate) headline: fn(&Happened, &ShiftMove<'_>) -> String,
    /// Which score moved by how much, without a cause.
    pub(crate) moved: fn(&ShiftMove<'_>) -> String,
    /// A number of points, which is rounded.
    pub(crate) points: fn(&str) -> String,
    pub(crate) because_microsoft: &'static str,
    pub(crate) because_tenants: &'static str,
    /// Tenants that moved farther; those that were reported before.
    pub(crate) apart: fn(&str) -> String,
    pub(crate) notified_before: fn(&str) -> String,
    /// Alerts without a line, of how many, and the shift's id.
    pub(crate) unlisted: fn(usize, usize, &str) -> String,
    /// Whether only one tenant is shown.
    pub(crate) probably_score: fn(bool) -> &'static str,
    pub(crate) not_known: &'static str,
    pub(crate) by_microsoft: fn(usize) -> String,
    pub(crate) by_tenants: fn(usize) -> String,
    pub(crate) by_both: fn(usize) -> String,
    pub(crate) by_unknown: fn(usize) -> String,
    pub(crate) controls: fn(&str) -> String,
    /// Microsoft's average, from what to what.
    pub(crate) average: fn(&str, &str) -> String,
    pub(crate) done: &'static str,
    pub(crate) accepted: &'static str,
    /// Where to find what belongs to the shift, by its id.
    pub(crate) open: fn(&str) -> String,
    /// How many are accepted, and the shift's id.
    pub(crate) partly_accepted: fn(usize, &str) -> String,
}

/// What a shift's message is sent for.
pub(crate) enum Happened {
    /// How many alerts still fire.
    Reminders(usize),
    /// How many alerts nobody has acknowledged.
    Escalations(usize),
    /// How many alerts were accepted.
    Accepted(usize),
    /// One tenant is shown of many.
    OneOfMany,
    /// How many tenants lost points on the same control.
    SharedControl(usize),
    AtOnce,
    More,
}

/// How a score moved in a shift.
pub(crate) struct ShiftMove<'a> {
    pub(crate) score: &'a str,
    pub(crate) has_fallen: bool,
    /// By about how much, with its unit.
    pub(crate) size: &'a str,
    pub(crate) tenants: usize,
}
