//! What people want to hear nothing of: silences, and acknowledgements of single alerts.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    notify::{
        Silence, SilenceId,
        silence::{Acknowledgement, NewSilence},
    },
    rule::AlertKey,
    store::{Acknowledged, NewEntry, SeenAlert, SilenceNotice, StoreError},
};

/// What people want to hear nothing of: silences, and acknowledgements of single alerts. Whatever they do takes effect at the time of its
/// [entry](NewEntry).
#[async_trait]
pub trait Silences: Send + Sync + 'static {
    /// Silences that end after that instant, newest first; `None`: every one that is kept.
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError>;

    /// Keeps a new silence and announces what is to be said of it, both or neither. Its number and what it says are added to the entry.
    async fn add_silence(
        &self,
        silence: NewSilence,
        notice: Option<SilenceNotice>,
        entry: NewEntry,
    ) -> Result<SilenceId, StoreError>;

    /// Ends a silence now, and lets what is held by silences be reviewed. `false`: there is none of that number, or it is over.
    async fn end_silence(&self, silence: SilenceId, entry: NewEntry) -> Result<bool, StoreError>;

    /// Notes that a person has seen an alert that fires; the first to say so is kept, and only that is recorded. The next notification
    /// of the alert that is no reminder clears it. `false`: it does not fire.
    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement, entry: NewEntry) -> Result<bool, StoreError>;

    /// Notes that a person has seen these alerts, each with an entry of its own, all in one transaction, as
    /// [`acknowledge`](Self::acknowledge) does of one. One that has come further since it was seen stays as it is. What became of each,
    /// in their order.
    async fn acknowledge_all(
        &self,
        alerts: Vec<(SeenAlert, NewEntry)>,
        by: Acknowledgement,
    ) -> Result<Vec<Acknowledged>, StoreError>;

    /// Takes an acknowledgement back, and adds to the entry whose it was. The tenant's alerts are to be judged again, also by a check
    /// under way. `false`: there is none.
    async fn unacknowledge(&self, alert: &AlertKey, entry: NewEntry) -> Result<bool, StoreError>;
}
