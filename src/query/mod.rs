//! What a person may ask, answered as plain values: no wording, no tables, no exit codes. [`crate::cli`] and [`crate::web`] decide how
//! an answer is shown, and `serde` writes it as JSON.
//!
//! Every question takes the caller's [`Scope`](crate::domain::Scope) and answers as if nothing existed beyond it. A list that can be
//! long is asked for by [`Page`]. A further question is a function of its own file here, with a line in `tests/integration/scope.rs`.

pub mod access;
pub mod alerts;
pub mod audit;
pub mod backtest;
pub mod changes;
pub mod channels;
pub(crate) mod database;
pub mod deliveries;
mod error;
pub mod explain;
pub mod export;
pub mod find;
pub mod fleet;
pub mod ids;
pub mod maintenance;
pub mod messages;
mod neutral;
pub(crate) mod numbers;
pub mod online;
mod page;
pub mod replicas;
pub mod report;
pub mod rules;
pub mod samples;
pub mod search;
pub mod silences;
pub mod system;
pub mod tenants;
pub mod work;

pub use error::{Candidate, Error, Thing};
pub use page::{Listing, Page};

pub use crate::store::Store;
use crate::{
    config::{Config, StoreLocation},
    store::{postgres, sqlite::SqliteStore},
};

/// Opens the store beside a service that may be running on it, for questions and small changes. Close it when done.
///
/// # Errors
/// [`Error::Store`].
pub async fn open(config: &Config) -> Result<Box<dyn Store>, Error> {
    match &config.store {
        StoreLocation::Sqlite(path) => Ok(Box::new(SqliteStore::open_reader(path).await?)),
        StoreLocation::Postgres(database) => Ok(Box::new(postgres::open_reader(&database::settings(database)).await?)),
    }
}
