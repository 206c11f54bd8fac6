//! Whether a server keeps what it confirms.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::PgConnection;

use super::error::at_open;
use crate::store::{
    StoreError,
    sql::db::{Pool, query_as},
};

/// The oldest server that works, as `server_version_num` has it.
const VERSION_MIN: i64 = 150_000;

/// What each of our connections asks for, as a server shows it: the settings in the order of their names, times in milliseconds.
const SETTINGS: &str = "default_transaction_isolation=read committed,idle_in_transaction_session_timeout=10000,lock_timeout=30000,\
    statement_timeout=60000";

/// What a server is and how it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    version: i64,
    is_standby: bool,
    encoding: String,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    /// What of [`SETTINGS`] has reached it.
    settings: String,
}

/// How many standbys there are, which of them commits wait for, and how far.
const STANDBYS: &str = "SELECT (SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names'), \
    current_setting('synchronous_commit')";

/// What that gives.
type Found = (i64, String, String);

/// Refuses a server with which something could get lost, and warns of what a failover could lose.
pub(super) async fn check(connection: &mut PgConnection, standbys: &Standbys) -> Result<(), StoreError> {
    refuse(connection).await?;
    let found: Found = sqlx::query_as(STANDBYS).fetch_one(connection).await.map_err(|error| at_open(&error))?;
    standbys.note(found.0, is_late(&found));
    Ok(())
}

/// Refuses a server with which something could get lost.
pub(super) async fn refuse(connection: &mut PgConnection) -> Result<(), StoreError> {
    let found: (i64, bool, String, String, String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(), current_setting('server_encoding'), \
         current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'), \
         (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings WHERE name IN \
         ('default_transaction_isolation', 'idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout'))",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(|error| at_open(&error))?;
    let (version, is_standby, encoding, fsync, full_page_writes, synchronous_commit, settings) = found;
    let server = Server { version, is_standby, encoding, fsync, full_page_writes, synchronous_commit, settings };
    match server.refused() {
        Some(why) => Err(StoreError::Open(why)),
        None => Ok(()),
    }
}

/// Whether a failover could lose something, as was seen last by any connection to the server. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Standbys(Arc<Mutex<bool>>);

impl Standbys {
    /// Looks again, beside whoever writes. `Some`: it has changed, and the log says so.
    pub(super) async fn look(&self, readers: &Pool) -> Result<Option<bool>, StoreError> {
        let found: Found = query_as(STANDBYS).fetch_one(readers).await?;
        Ok(self.note(found.0, is_late(&found)))
    }

    /// Takes what was found, and says in the log what has changed.
    fn note(&self, standbys: i64, is_late: bool) -> Option<bool> {
        let changed = self.changed(is_late)?;
        if changed {
            tracing::warn!(
                standbys,
                "the database's standbys may lack what was stored last, so a failover may lose it: alerts may be sent twice or late; \
                 set `synchronous_standby_names`, and `synchronous_commit` to `on`"
            );
        } else {
            tracing::info!(standbys, "the database has no standbys any more that may lack what was stored last");
        }
        Some(changed)
    }

    /// `None`: it is as it was. At first, nothing could be lost.
    fn changed(&self, is_late: bool) -> Option<bool> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *seen, is_late);
        (before != is_late).then_some(is_late)
    }
}

fn is_late(found: &Found) -> bool {
    let (standbys, synchronous_standby_names, synchronous_commit) = found;
    is_replicated_late(*standbys, synchronous_standby_names, synchronous_commit)
}

/// Whether there are standbys that a commit does not wait for.
fn is_replicated_late(standbys: i64, synchronous_standby_names: &str, synchronous_commit: &str) -> bool {
    standbys > 0 && (synchronous_standby_names.trim().is_empty() || matches!(synchronous_commit, "local" | "off"))
}

impl Server {
    /// Why it is refused, and what to do.
    fn refused(&self) -> Option<String> {
        if self.version < VERSION_MIN {
            let (major, minor) = (self.version / 10_000, self.version % 10_000);
            return Some(format!("PostgreSQL {major}.{minor} is too old; 15 or newer is needed"));
        }
        if self.is_standby {
            return Some("the server is a standby, which can't be written; write the primary's address".to_owned());
        }
        if self.settings != SETTINGS {
            return Some(
                "settings of the connection do not reach the server, as behind a pooler such as PgBouncer; write the server's own \
                 address"
                    .to_owned(),
            );
        }
        if self.encoding != "UTF8" {
            let encoding = &self.encoding;
            return Some(format!("the database is encoded as {encoding}; make one with `ENCODING 'UTF8'`"));
        }
        for (name, value) in [
            ("fsync", &self.fsync),
            ("full_page_writes", &self.full_page_writes),
            ("synchronous_commit", &self.synchronous_commit),
        ] {
            if value == "off" {
                return Some(format!(
                    "the server runs with `{name} = off`, so that it may lose what it has confirmed; set it to `on`"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_lose_something_is_refused() {
        let on = || "on".to_owned();
        let good = Server {
            version: 150_018,
            is_standby: false,
            encoding: "UTF8".to_owned(),
            fsync: on(),
            full_page_writes: on(),
            synchronous_commit: "remote_write".to_owned(),
            settings: SETTINGS.to_owned(),
        };
        let off = || "off".to_owned();
        for (server, part) in [
            (Server { version: 140_011, ..good.clone() }, "PostgreSQL 14.11 is too old"),
            (Server { is_standby: true, ..good.clone() }, "is a standby"),
            (Server { settings: SETTINGS.replace("60000", "0"), ..good.clone() }, "behind a pooler"),
            // A pooler's own connections may have one of them by chance.
            (Server { settings: SETTINGS.replace("30000", "0"), ..good.clone() }, "behind a pooler"),
            (Server { encoding: "LATIN1".to_owned(), ..good.clone() }, "encoded as LATIN1"),
            (Server { fsync: off(), ..good.clone() }, "`fsync = off`"),
            (Server { full_page_writes: off(), ..good.clone() }, "`full_page_writes = off`"),
            (Server { synchronous_commit: off(), ..good.clone() }, "`synchronous_commit = off`"),
        ] {
            let why = server.refused().unwrap();
            assert!(why.contains(part), "{why}");
        }
        assert_eq!(good.refused(), None);
    }

    #[test]
    fn standbys_that_no_commit_waits_for_are_noticed() {
        for (standbys, names, commit, is_late) in [
            (0, "", "on", false),
            (2, "", "on", true),
            (2, "*", "on", false),
            (1, "FIRST 1 (a, b)", "remote_write", false),
            (1, "*", "local", true),
            (1, "*", "off", true),
        ] {
            assert_eq!(is_replicated_late(standbys, names, commit), is_late, "{standbys} {names:?} {commit}");
        }
    }

    #[test]
    fn each_change_of_what_a_failover_could_lose_is_said_once() {
        let standbys = Standbys::default();
        let said = [false, true, true, false, false, true].map(|is_late| standbys.clone().changed(is_late));
        assert_eq!(said, [None, Some(true), None, Some(false), None, Some(true)]);
    }
}
