//! What whoever is limited to some tenants sees of what is meant for our own people.

/// What whoever is limited to some tenants sees in addition to the facts about these: a customer is to see as little of what is meant for our
/// own people as in a channel of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that is written or not")]
pub struct Seen {
    /// The labels of tenants.
    pub labels: bool,
    /// What the author of a rule wrote (`about`, `runbook`), and why controls are excluded.
    pub about: bool,
    /// The names of channels that others share, and what was sent there.
    pub channels: bool,
    /// Messages to the operator.
    pub operator: bool,
}

impl Seen {
    /// The words under `show:`.
    pub const WORDS: [&'static str; 4] = ["labels", "about", "channels", "operator"];

    pub(super) fn of(words: &[&str]) -> Self {
        let has = |word| words.contains(&word);
        Self { labels: has("labels"), about: has("about"), channels: has("channels"), operator: has("operator") }
    }
}
