//! Which service has the store: a row with an owner and the time until which it has it, on the database's clock.

use std::{fs, process, time::Duration};

use sqlx::PgConnection;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::error::at_open;
use crate::store::StoreError;

/// For how long a service that is not heard of has the store.
const SECONDS: u32 = 20;
/// How often it is renewed at most; the service's heartbeat writes often enough.
const RENEWED_AFTER: Duration = Duration::from_secs(5);
/// How often a start that waits for another one's time looks again.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The right to write to the store as a service.
#[derive(Debug)]
pub(super) struct Lease {
    owner: String,
    renewed_at: Option<Instant>,
}

impl Lease {
    /// Takes the store. If a service has it that is not heard of, waits until its time is over.
    pub(super) async fn take(connection: &mut PgConnection) -> Result<Self, StoreError> {
        let owner = Uuid::new_v4().simple().to_string();
        let mut seen: Option<String> = None;
        loop {
            if take_as(connection, &owner).await? {
                return Ok(Self { owner, renewed_at: Some(Instant::now()) });
            }
            let (place, until) = holder(connection).await?;
            if until.is_empty() {
                // It was given back meanwhile.
                continue;
            }
            match &seen {
                // It was renewed meanwhile, so somebody lives.
                Some(seen) if *seen != until => return Err(StoreError::InUse(place)),
                Some(_) => {}
                None => tracing::info!(
                    "another service has the store{place}; waiting until it has not been heard of for {SECONDS} s"
                ),
            }
            seen = Some(until);
            sleep(LOOK_EVERY).await;
        }
    }

    /// What begins a transaction: it has the store to itself, and says whether this service still has it.
    pub(super) fn begin(&mut self) -> String {
        let Self { owner, renewed_at } = self;
        let is_fresh = renewed_at.is_some_and(|at| at.elapsed() < RENEWED_AFTER);
        let renew = if is_fresh {
            String::new()
        } else {
            *renewed_at = Some(Instant::now());
            format!(
                "UPDATE writer SET expires_at = clock_timestamp() + interval '{SECONDS} seconds' WHERE owner = '{owner}';"
            )
        };
        format!(
            "BEGIN; {renew} SELECT pg_current_xact_id()::text, (owner IS NOT DISTINCT FROM '{owner}')::text, coalesce(place, '') \
             FROM writer FOR UPDATE"
        )
    }

    /// Notes that the transaction is not kept.
    pub(super) const fn rolled_back(&mut self) {
        self.renewed_at = None;
    }

    /// What gives the store back.
    pub(super) fn release(&self) -> String {
        format!("UPDATE writer SET owner = NULL, place = NULL, expires_at = NULL WHERE owner = '{}'", self.owner)
    }
}

async fn take_as(connection: &mut PgConnection, owner: &str) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "UPDATE writer SET owner = $1, place = $2, epoch = epoch + 1, expires_at = clock_timestamp() + make_interval(secs => $3) \
         WHERE owner IS NULL OR expires_at <= clock_timestamp()",
    )
    .bind(owner)
    .bind(place())
    .bind(f64::from(SECONDS))
    .execute(connection)
    .await;
    taken.map(|done| done.rows_affected() > 0).map_err(|error| at_open(&error))
}

/// Who has the store, and until when.
async fn holder(connection: &mut PgConnection) -> Result<(String, String), StoreError> {
    let holder =
        sqlx::query_as("SELECT coalesce(' (' || place || ')', ''), coalesce(expires_at::text, '') FROM writer")
            .fetch_one(connection)
            .await;
    holder.map_err(|error| at_open(&error))
}

/// Where this process is, for people.
fn place() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("pid {} on {}", process::id(), if host.trim().is_empty() { "another machine" } else { host.trim() })
}

/// Whether a service works on the store now.
pub(super) async fn is_held(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let is_held =
        sqlx::query_scalar("SELECT coalesce(owner IS NOT NULL AND expires_at > clock_timestamp(), false) FROM writer");
    is_held.fetch_one(connection).await.map_err(|error| at_open(&error))
}
