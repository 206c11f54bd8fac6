//! One conformance suite for every store, and what is particular to each.

/// Runs tests against both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test().await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test]
            #[ignore = "needs PostgreSQL 15 or newer"]
            async fn $test() {
                crate::store::fixture::on_postgres(super::$test()).await;
            })*
        }
    };
}

mod access;
mod audit;
mod average;
mod backup;
mod blindness;
mod channel;
mod conformance;
mod connection;
mod copy;
mod dead;
mod erase;
mod excluded;
mod fixture;
mod fleet;
mod hold;
mod idempotency;
mod later;
mod merge;
mod migration;
mod outbox;
mod postgres;
mod reading;
mod recommendation;
mod recorded;
mod replicas;
mod restore;
mod retention;
mod route;
mod samples;
mod schemas;
mod silence;
mod sqlite;
mod succession;
mod tenant;
mod withdrawn;
