//! Why a delivery waits until somebody decides, and until when it is not reviewed.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// A delivery that is held: committed with everything else, and sent only if it is still relevant when it is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hold {
    /// What the delivery waits for.
    pub why: HoldReason,
    /// When it is reviewed, at the latest; the decision may be to hold it longer.
    pub until: Timestamp,
}

/// Why a delivery is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// A silence or a maintenance window covers it.
    Silence,
    /// A silence or a maintenance window covers it that began while it waited for other tenants. Without that wait it would have
    /// been sent before, so it is sent afterwards, whatever has become of it.
    LateSilence,
    /// Other tenants may report the same thing.
    Fleet,
    /// Other tenants of the same outage have the same to say, and it goes out together.
    Outage,
}

impl HoldReason {
    /// All reasons for which a delivery is held.
    pub const ALL: [Self; 4] = [Self::Silence, Self::LateSilence, Self::Fleet, Self::Outage];

    /// The name in JSON and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::LateSilence => "late-silence",
            Self::Fleet => "fleet",
            Self::Outage => "outage",
        }
    }

    /// The reasons whose deliveries are looked at when something that holds for this one may be gone: whatever a silence holds.
    #[must_use]
    pub const fn looked_at_with(self) -> &'static [Self] {
        match self {
            Self::Silence | Self::LateSilence => &[Self::Silence, Self::LateSilence],
            Self::Fleet => &[Self::Fleet],
            Self::Outage => &[Self::Outage],
        }
    }

    /// Whether what a channel is sent once it is no longer held goes out as one message, however little it is.
    #[must_use]
    pub const fn gathers(self) -> bool {
        matches!(self, Self::Outage)
    }

    /// Finds the reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_silence_holds_is_looked_at_when_a_silence_may_be_over() {
        for (why, with) in [
            (HoldReason::Silence, vec![HoldReason::Silence, HoldReason::LateSilence]),
            (HoldReason::LateSilence, vec![HoldReason::Silence, HoldReason::LateSilence]),
            (HoldReason::Fleet, vec![HoldReason::Fleet]),
            (HoldReason::Outage, vec![HoldReason::Outage]),
        ] {
            assert_eq!(why.looked_at_with(), with);
            assert_eq!(HoldReason::from_name(why.as_str()), Some(why));
        }
    }
}
