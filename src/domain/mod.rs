//! What everything else speaks of: tenants, scores, samples, labels, time. Values only; no clock, no I/O.

mod brand;
pub mod channel_name;
pub mod characters;
mod color;
mod complaint;
pub mod control;
pub mod excluded;
pub mod exclusion;
mod failure_class;
mod language;
pub mod name;
pub mod recommendation;
pub mod sample;
pub mod scope;
pub mod score;
pub mod selector;
pub mod severity;
pub mod tenant;
pub mod time;

pub use brand::Brand;
pub use channel_name::ChannelName;
pub use color::Color;
pub use complaint::Complaint;
pub use control::{Control, ControlProfile, ControlProfiles, Counts, ScoreRecord, StateChange};
pub use excluded::{ControlsRead, Excluded};
pub use exclusion::Exclusion;
pub use failure_class::FailureClass;
pub use language::Language;
pub use recommendation::{Impact, Recommendation, RecommendationList, RecommendationSnapshot, SnapshotRow};
pub use sample::{Points, Reading, Sample, SeriesId, SeriesKey};
pub use scope::Scope;
pub use score::{Better, SUBJECT_GONE_AFTER, ScoreKind, Subject, Unit};
pub use selector::Selector;
pub use severity::Severity;
pub use tenant::{Cloud, EntraTenantId, Labels, Region, TenantId};
pub use time::{DURATION_MAX, Timestamp, format_duration, parse_duration, suggested_duration};
