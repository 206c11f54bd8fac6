//! What goes into the store and comes out of it, by the role that it has to do with.

mod access;
mod audit;
mod blindness;
mod channel;
mod check;
mod fleet;
mod idempotency;
mod listing;
mod outbox;
mod overview;
mod route;
mod schema;
mod tenant;
mod upkeep;

pub use access::{
    AccountRecord, NewAccount, NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash, Person,
    PersonSession, SecretDigest, SessionHolder, SessionRecord, TokenRecord,
};
pub use audit::{BEFORE_FIRST, Broken, Entry, EntryBody, EntryFilter, Link, NewEntry, Verifier, Written, hex};
pub use blindness::{Blind, FailingTenant, Outage};
pub use channel::{ChannelRecord, ParkedChannel};
pub use check::{
    AlertRecord, AlertUpdate, CheckOutcome, Commit, Due, Failing, Inherited, ScoreFailure, SeriesRecord, SeriesUpdate,
    TenantHealth, TenantRecord,
};
pub use fleet::{SeriesShift, ShiftMember, ShiftNotice};
pub use idempotency::{Begun, RecordedAnswer};
pub use listing::{Acknowledged, AlertFilter, AlertPlace, AlertRow, Attempt, DeliveryDetail, DeliveryFilter, Totals};
pub use outbox::{Claim, ClaimedDelivery, DeadLetters, NewNotification, SilenceNotice};
pub use overview::{Advice, OpenAlert, SeriesSamples, TenantAdvice, TenantLine};
pub use route::{ChannelIdentity, Reroute, Rerouted, Routed, RoutedAlert, Routes};
pub use schema::SchemaStep;
pub(in crate::store) use schema::{admit, usable_since_key};
pub use tenant::{Configured, KnownTenant, Reconciled, TenantIdentity};
pub use upkeep::{Downtime, Heartbeat, RejectedConfiguration, ReplicaRecord};

pub use crate::notify::{alert_notes::Owed, settle::AttemptOutcome, turn::ClaimTerms};
