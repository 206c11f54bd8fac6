//! The kinds of score: unit, direction, and what distinguishes several values of one kind.

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is measured. The text form is the same in configuration, JSON, metrics and the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreKind {
    /// Microsoft Secure Score for Devices: Defender `GET /api/configurationScore`.
    DeviceSecureScore,
    /// The exposure score: Defender's `GET /api/exposureScore`.
    ExposureScore,
    /// Defender `GET /api/exposureScore/ByMachineGroups`; the subject is the device group.
    ExposureScoreByGroup,
    /// Graph `GET /v1.0/security/secureScores`, in percent of `maxScore`.
    SecureScore,
    /// The same call by category: its points in percent of the tenant's `maxScore`, so that all categories add up to the secure
    /// score; the subject is the category.
    SecureScoreCategory,
}

/// A subject is gone when whole answers have been without it for as long, or for three of the source's intervals if that is longer.
pub const SUBJECT_GONE_AFTER: Duration = Duration::from_hours(24);

/// More points than any device secure score: Microsoft publishes no maximum, and scores have some hundreds.
const POINTS_MAX: f64 = 1_000_000.0;

/// What a score's numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Points without a published maximum.
    Points,
    /// Points from 0 to 100.
    PointsOf100,
    /// Percent of the tenant's own maximum.
    Percent,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A larger value is better.
    Higher,
    /// A smaller value is better.
    Lower,
}

impl ScoreKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::DeviceSecureScore,
        Self::ExposureScore,
        Self::ExposureScoreByGroup,
        Self::SecureScore,
        Self::SecureScoreCategory,
    ];

    /// The name as written in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceSecureScore => "device-secure-score",
            Self::ExposureScore => "exposure-score",
            Self::ExposureScoreByGroup => "exposure-score-by-group",
            Self::SecureScore => "secure-score",
            Self::SecureScoreCategory => "secure-score-category",
        }
    }

    /// Finds the kind of that name.
    ///
    /// ```
    /// use scorewatch::domain::ScoreKind;
    ///
    /// let exposure = ScoreKind::from_name("exposure-score").unwrap();
    /// assert_eq!((exposure.as_str(), exposure.range()), ("exposure-score", 0.0..=100.0));
    /// assert_eq!(ScoreKind::from_name("secure score"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the numbers count.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::DeviceSecureScore => Unit::Points,
            Self::ExposureScore | Self::ExposureScoreByGroup => Unit::PointsOf100,
            Self::SecureScore | Self::SecureScoreCategory => Unit::Percent,
        }
    }

    /// The least and the largest value that the score can have. What is outside is not a reading, whoever says so.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::DeviceSecureScore => 0.0..=POINTS_MAX,
            Self::ExposureScore | Self::ExposureScoreByGroup | Self::SecureScore | Self::SecureScoreCategory => {
                0.0..=100.0
            }
        }
    }

    /// Whether the kind has several values at once, each with its subject.
    #[must_use]
    pub const fn has_subjects(self) -> bool {
        matches!(self, Self::ExposureScoreByGroup | Self::SecureScoreCategory)
    }

    /// How often the source itself makes a new value; zero where every successful poll is one.
    /// Graph keeps one record a day ("List secureScores").
    #[must_use]
    pub const fn record_interval(self) -> Duration {
        match self {
            Self::DeviceSecureScore | Self::ExposureScore | Self::ExposureScoreByGroup => Duration::ZERO,
            Self::SecureScore | Self::SecureScoreCategory => Duration::from_hours(24),
        }
    }

    /// Whether the source gives the average of all of Microsoft's tenants ("secureScore resource type",
    /// `averageComparativeScores`).
    #[must_use]
    pub const fn has_witness(self) -> bool {
        matches!(self, Self::SecureScore)
    }

    /// How old the newest record may be before the source gives no new data. Records come late, by a day and a half in public
    /// reports. Zero where every successful poll is a new value.
    #[must_use]
    pub const fn overdue_after(self) -> Duration {
        self.record_interval().saturating_mul(3)
    }

    /// Which way is good. The exposure scores are better when lower ("Exposure score", Defender Vulnerability Management).
    #[must_use]
    pub const fn better(self) -> Better {
        match self {
            Self::ExposureScore | Self::ExposureScoreByGroup => Better::Lower,
            Self::DeviceSecureScore | Self::SecureScore | Self::SecureScoreCategory => Better::Higher,
        }
    }
}

impl fmt::Display for ScoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Unit {
    /// The name in JSON and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::PointsOf100 => "points-of-100",
            Self::Percent => "percent",
        }
    }
}

/// Distinguishes several values of one kind: a device group, a category. Text from outside; escape it where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Subject(pub Arc<str>);

impl Subject {
    /// The text as the source gave it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
