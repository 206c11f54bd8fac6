//! Keeps a replica's lease, and moves shards between replicas.
//!
//! It has a connection of its own, so that a long transaction of the writer does not cost the lease. Whoever lives renews its own row;
//! shards change hands only in transactions that lock the row which all writers lock. A shard that is taken may have deliveries in
//! `sending`: whoever sent them owns it no more, so they are queued again in the same transaction.
//!
//! A replica that was cut off from the database itself does not take over from others for a while ([`Grace`]): they come back, too.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::{lease, open, settings::PostgresSettings};
use crate::{
    clock::Clock,
    domain::Clause,
    store::{
        Division, RejectedConfiguration, Shard, StoreError,
        division::{Grace, Timing, Wish, wish},
        sql::{db::Connection, replica},
    },
    task,
};

/// How it went to look.
enum Looked {
    /// There is nothing more to do at the moment.
    Rests,
    /// This replica's row is gone.
    Replaced,
    /// Everything is given up, as was asked.
    Left,
}

/// Renews the lease of one replica, on a connection of its own.
pub(super) struct Keeper {
    settings: PostgresSettings,
    connection: Option<Connection>,
    id: String,
    division: Division,
    timing: Timing,
    grace: Grace,
    renewed_at: Option<Instant>,
    said: Said,
}

/// What a replica's row says of it, apart from its lease.
#[derive(Debug, PartialEq)]
struct Said {
    fingerprint: String,
    is_leaving: bool,
    rejected: Option<RejectedConfiguration>,
}

impl Said {
    fn by(division: &Division) -> Self {
        let (fingerprint, is_leaving) = (division.fingerprint(), division.is_leaving());
        Self { fingerprint, is_leaving, rejected: division.rejected() }
    }
}

/// A replica that lives, as far as one knows.
struct Living {
    id: String,
    fingerprint: String,
    is_leaving: bool,
    rejects: bool,
}

/// What the table says of a replica: its id, configuration, whether it leaves, whether it has the store to itself and whether it rejects a
/// changed configuration, when its lease runs out, and when this was read. Times are microseconds on the database's clock.
type Columns = (String, String, bool, bool, bool, i64, i64);

const REPLICAS: &str = "SELECT id, fingerprint, is_leaving, is_sole, rejected IS NOT NULL, \
    (extract(epoch FROM expires_at) * 1000000)::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM replica ORDER BY started_at, id";
/// Whoever is taken for gone: the second parameter is the time by which a lease must have run out.
const REMOVE_GONE: &str = "DELETE FROM replica WHERE id <> $1 AND expires_at <= clock_timestamp() \
    AND (extract(epoch FROM expires_at) * 1000000)::bigint <= $2 RETURNING place";

/// What the tables say.
struct Table {
    /// The replicas that live, oldest first.
    living: Vec<Living>,
    /// Whether somebody has the store to itself, so that there is nothing to share.
    is_sole: bool,
    owners: Vec<Option<String>>,
    /// The time by which the lease of whoever is gone has run out.
    gone_by: i64,
}

impl Keeper {
    pub(super) fn new(settings: &PostgresSettings, id: &str, division: Division, timing: Timing) -> Self {
        let (settings, id, said) = (settings.clone(), id.to_owned(), Said::by(&division));
        let grace = Grace::new(timing);
        Self { settings, connection: None, id, division, timing, grace, renewed_at: None, said }
    }

    /// Looks for the first time. Returns how many attempts were under way on what was taken.
    pub(super) async fn begin(&mut self) -> Result<u64, StoreError> {
        let mut recovered = 0;
        self.look(&mut recovered).await?;
        Ok(recovered)
    }

    /// Renews the lease and looks who has what, until everything is given up.
    pub(super) async fn keep(mut self) {
        loop {
            tokio::select! {
                () = sleep(self.timing.looks_every()) => {}
                () = self.division.nudged() => {}
            }
            let mut recovered = 0;
            let looked = timeout(self.timing.answered_within(), self.look(&mut recovered)).await;
            if recovered > 0 {
                tracing::warn!(
                    recovered,
                    "attempts of a replica that is gone are repeated, and marked as possible duplicates"
                );
            }
            match looked {
                Ok(Ok(Looked::Rests)) => {}
                Ok(Ok(Looked::Left)) => break,
                // The store was closed before everything was given up.
                Ok(Ok(Looked::Replaced)) if self.division.is_leaving() => break,
                Ok(Ok(Looked::Replaced)) => {
                    self.division.renewed(Instant::now());
                    task::give_up("replica", Clause::NotHeardOf.english().to_owned());
                    break;
                }
                Ok(Err(error)) => self.lost(&error.to_string()),
                Err(_) => self.lost("no answer in time"),
            }
        }
        self.division.has_left();
        if let Some(Connection::Postgres(connection)) = self.connection.take() {
            // Nothing waits for it.
            let _ = connection.close().await;
        }
    }

    /// The connection is not used again.
    fn lost(&mut self, why: &str) {
        self.connection = None;
        tracing::warn!(
            error = why,
            "the replica's lease could not be renewed, or shards not be moved; trying again. Without a lease nothing is checked or sent"
        );
    }

    async fn look(&mut self, recovered: &mut u64) -> Result<Looked, StoreError> {
        let Self { settings, connection, .. } = self;
        let opened = match connection.take() {
            Some(Connection::Postgres(opened)) => opened,
            _ => open::connect(settings).await?,
        };
        let mut opened = Connection::Postgres(opened);
        let looked = self.look_by(&mut opened, recovered).await;
        if looked.is_ok() {
            self.connection = Some(opened);
        }
        looked
    }

    async fn look_by(&mut self, on: &mut Connection, recovered: &mut u64) -> Result<Looked, StoreError> {
        if !self.renew(postgres(on)?).await? {
            return Ok(Looked::Replaced);
        }
        let table = Table::read(postgres(on)?, &mut self.grace).await?;
        // A server that took over may have lost who took what; then others may work on it by now.
        if !self.division.owned_shards().is_subset(&table.owned_by(&self.id)) {
            return Ok(Looked::Replaced);
        }
        let wish = self.wish(&table);
        let idle = self.division.prepare_to_give_up(&wish.give_up);
        if !idle.is_empty() {
            self.division.gave_up(&idle);
            self.give_up(postgres(on)?, &idle).await?;
        }
        let unheard = table.owned_by(&self.id).into_iter().any(|shard| !self.division.owned_shards().contains(&shard));
        let has_dead = table.owners.iter().flatten().any(|owner| !table.lives(owner));
        if !self.division.is_leaving() && (!wish.take.is_empty() || unheard && idle.is_empty() || has_dead) {
            *recovered += self.take(on, table.gone_by).await?;
        }
        let is_empty = self.division.owned_shards().is_empty();
        Ok(if self.division.is_leaving() && is_empty { Looked::Left } else { Looked::Rests })
    }

    /// Renews the lease when it is time to, or when the configuration is another. `false`: the row is gone.
    async fn renew(&mut self, on: &mut PgConnection) -> Result<bool, StoreError> {
        let (asked_at, says) = (Instant::now(), Said::by(&self.division));
        let is_fresh = self.renewed_at.is_some_and(|at| at.elapsed() < self.timing.renewed_every());
        if is_fresh && says == self.said {
            return Ok(true);
        }
        // Numbers and texts are always written.
        let rejected = says.rejected.as_ref().and_then(|rejected| serde_json::to_string(rejected).ok());
        let renewed = sqlx::query(
            "UPDATE replica SET heard_at = clock_timestamp(), fingerprint = $2, is_leaving = $3, \
             expires_at = clock_timestamp() + make_interval(secs => $4), lateness_ms = $5, \
             rejected = $6 WHERE id = $1",
        )
        .bind(&self.id)
        .bind(&says.fingerprint)
        .bind(says.is_leaving)
        .bind(self.timing.lease.as_secs_f64())
        .bind(i64::try_from(self.division.lateness().as_millis()).unwrap_or(i64::MAX))
        .bind(rejected)
        .execute(on)
        .await?;
        if renewed.rows_affected() == 0 {
            return Ok(false);
        }
        self.division.renewed(asked_at + self.timing.good_for());
        (self.renewed_at, self.said) = (Some(asked_at), says);
        Ok(true)
    }

    /// What to do by what the tables say; notes what they say of the others.
    fn wish(&self, table: &Table) -> Wish {
        let stay: Vec<&Living> = table.living.iter().filter(|one| !one.is_leaving).collect();
        let agrees = stay.iter().all(|one| one.fingerprint == self.said.fingerprint);
        let is_rejected = stay.iter().any(|one| one.rejects);
        let living = u32::try_from(stay.len()).unwrap_or(u32::MAX);
        self.division.saw(living, agrees, is_rejected, &self.said.fingerprint);
        if table.is_sole {
            return Wish::default();
        }
        let sharing: Vec<String> = stay.into_iter().map(|one| one.id.clone()).collect();
        let owners: Vec<Option<String>> =
            table.owners.iter().map(|owner| owner.clone().filter(|owner| table.lives(owner))).collect();
        wish(&self.id, &sharing, &owners)
    }

    /// Gives up shards that nobody here works on any more.
    async fn give_up(&self, on: &mut PgConnection, shards: &BTreeSet<Shard>) -> Result<(), StoreError> {
        lease::begin(on).await?;
        sqlx::query("UPDATE shard SET owner = NULL WHERE owner = $1 AND shard = ANY($2)")
            .bind(&self.id)
            .bind(numbers(shards))
            .execute(&mut *on)
            .await?;
        sqlx::query("COMMIT").execute(on).await?;
        tracing::info!(shards = shards.len(), "shards were given up");
        Ok(())
    }

    /// Removes the rows of replicas that are gone, and takes what nobody has, as far as it is this replica's part. Returns how many
    /// attempts were under way there.
    async fn take(&mut self, connection: &mut Connection, gone_by: i64) -> Result<u64, StoreError> {
        let on = postgres(connection)?;
        lease::begin(on).await?;
        let dead: Vec<String> =
            sqlx::query_scalar(REMOVE_GONE).bind(&self.id).bind(gone_by).fetch_all(&mut *on).await?;
        sqlx::query("UPDATE shard SET owner = NULL WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM replica)")
            .execute(&mut *on)
            .await?;
        let table = Table::read(on, &mut self.grace).await?;
        let wish = self.wish(&table);
        if !table.lives(&self.id) {
            // The next look finds that the row is gone.
            sqlx::query("ROLLBACK").execute(on).await?;
            return Ok(0);
        }
        let free: Vec<i64> = sqlx::query_scalar(
            "UPDATE shard SET owner = $1, epoch = epoch + 1 WHERE owner IS NULL AND shard = ANY($2) RETURNING shard",
        )
        .bind(&self.id)
        .bind(numbers(&wish.take))
        .fetch_all(&mut *on)
        .await?;
        // What an earlier look took without hearing that it did is taken now.
        let owned = self.division.owned_shards();
        let unheard = table.owned_by(&self.id).into_iter().filter(|shard| !owned.contains(shard));
        let taken: BTreeSet<Shard> = free.into_iter().filter_map(Shard::from_number).chain(unheard).collect();
        let recovered = replica::recover(connection, |shard| taken.contains(&shard), Clock::System.now()).await?;
        sqlx::query("COMMIT").execute(postgres(connection)?).await?;
        for place in dead {
            tracing::warn!(place, "a replica was not heard of any more; the others take over its work");
        }
        self.division.take(&taken);
        tracing::info!(
            shards = taken.len(),
            owned = self.division.owned(),
            living = table.living.len(),
            "shards were taken"
        );
        Ok(recovered)
    }
}

impl Table {
    /// Reads the tables. Whose lease has run out lives on while this replica gives grace.
    async fn read(on: &mut PgConnection, grace: &mut Grace) -> Result<Self, StoreError> {
        let replicas: Vec<Columns> = sqlx::query_as(REPLICAS).fetch_all(&mut *on).await?;
        let owners = sqlx::query_scalar("SELECT owner FROM shard ORDER BY shard").fetch_all(on).await?;
        // Without any row, this replica's own is gone as well; the next look finds that.
        let was_given = grace.is_given();
        let gone_by = replicas.first().map_or(0, |(.., now)| grace.look(*now));
        if grace.is_given() && !was_given {
            tracing::info!(
                "the database could not be reached for a while, or this replica has just started: the others have the time of one lease \
                 to renew theirs before their work is taken over"
            );
        }
        let (mut living, mut is_sole) = (Vec::new(), false);
        for (id, fingerprint, is_leaving, alone, rejects, expires_at, _) in replicas {
            if expires_at > gone_by {
                is_sole |= alone;
                living.push(Living { id, fingerprint, is_leaving, rejects });
            }
        }
        Ok(Self { living, is_sole, owners, gone_by })
    }

    fn lives(&self, id: &str) -> bool {
        self.living.iter().any(|one| one.id == id)
    }

    fn owned_by(&self, id: &str) -> BTreeSet<Shard> {
        Shard::all()
            .zip(&self.owners)
            .filter(|(_, owner)| owner.as_deref() == Some(id))
            .map(|(shard, _)| shard)
            .collect()
    }
}

fn numbers(shards: &BTreeSet<Shard>) -> Vec<i64> {
    shards.iter().map(|shard| shard.number().into()).collect()
}

fn postgres(connection: &mut Connection) -> Result<&mut PgConnection, StoreError> {
    match connection {
        Connection::Postgres(connection) => Ok(connection),
        Connection::Sqlite(_) => Err(StoreError::Failed("it is not the database of replicas".to_owned())),
    }
}
