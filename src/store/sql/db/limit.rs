//! How long a server is waited for.

use std::{io, time::Duration};

/// The longest that a server is waited for: longer than any statement or lock may take there. A server that is gone without a word, or
/// behind a firewall that has forgotten the connection, would otherwise be waited for for ever.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(100);

/// Waits for a server, but no longer than that; what it was asked on is of no use afterward, and is closed. Nothing else gives up on
/// what a server is asked: what others wait for with a time limit runs in a task of its own.
pub(in crate::store) async fn within_limit<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the database has not answered for 100 seconds");
    tokio::time::timeout(ANSWER_TIME_MAX, answer).await.unwrap_or_else(|_| Err(late().into()))
}
