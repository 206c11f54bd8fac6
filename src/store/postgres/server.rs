//! Whether a server keeps what it confirms.

use sqlx::PgConnection;

use super::error::at_open;
use crate::store::StoreError;

/// The oldest server that works, as `server_version_num` has it.
const VERSION_MIN: i64 = 150_000;

/// What a server is and how it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    version: i64,
    is_standby: bool,
    encoding: String,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
}

/// Refuses a server with which something could get lost.
pub(super) async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    let found: (i64, bool, String, String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(), current_setting('server_encoding'), \
         current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| at_open(&error))?;
    let (version, is_standby, encoding, fsync, full_page_writes, synchronous_commit) = found;
    match (Server { version, is_standby, encoding, fsync, full_page_writes, synchronous_commit }).refused() {
        Some(why) => Err(StoreError::Open(why)),
        None => Ok(()),
    }
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
        };
        let off = || "off".to_owned();
        for (server, part) in [
            (Server { version: 140_011, ..good.clone() }, "PostgreSQL 14.11 is too old"),
            (Server { is_standby: true, ..good.clone() }, "is a standby"),
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
}
