//! Secrets that have to be asked for: what a store of them is, as far as a reference knows it.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::Timestamp;

/// What a store is asked for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// The output of a program.
    Output {
        /// The path of the program that was run.
        program: PathBuf,
        /// Its arguments, which are never shown.
        arguments: Vec<String>,
        /// The folder that it runs in.
        folder: PathBuf,
        /// The longest time that it may run.
        time_limit: Duration,
    },
    /// A field of the secret at a path, the newest version.
    Field {
        /// The path below the mount, without a leading slash.
        path: String,
        /// The name of the field.
        field: String,
    },
    /// A secret by its name.
    Named {
        /// The name of the secret store.
        name: String,
        /// One version of it for ever; `None`: the newest.
        version: Option<String>,
    },
}

impl fmt::Debug for Item {
    /// The arguments of a program may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output { program, .. } => f.debug_tuple("Output").field(program).finish(),
            Self::Field { path, field } => f.debug_tuple("Field").field(path).field(field).finish(),
            Self::Named { name, version } => f.debug_tuple("Named").field(name).field(version).finish(),
        }
    }
}

/// What keeps secrets and has to be asked for them. It remembers what it was asked, for a while.
#[async_trait]
pub trait SecretStore: fmt::Debug + Send + Sync {
    /// Distinguishes it, with its settings, from every other; not a secret.
    fn identity(&self) -> &str;

    /// Where that is kept, in words: `secret tenants/contoso of the secret store corp`.
    fn place(&self, item: &Item) -> String;

    /// Asks, unless what is known is fresh. Of many callers at a time one asks.
    async fn fetch(&self, item: &Item);

    /// What is known of it.
    ///
    /// # Errors
    /// What is wrong, to follow the place in a sentence; nothing of the secret is in it.
    fn known(&self, item: &Item) -> Result<SecretString, String>;

    /// When it expires, as far as the store said so.
    fn expires_at(&self, item: &Item) -> Option<Timestamp>;

    /// Its user refused what is known: that is not fresh any more.
    fn doubt(&self, item: &Item);
}

/// A secret in a store.
#[derive(Clone)]
pub struct Stored {
    /// The store that the secret is read from.
    pub store: Arc<dyn SecretStore>,
    /// What it is asked for.
    pub item: Arc<Item>,
}

impl Stored {
    fn key(&self) -> (&str, &Item) {
        (self.store.identity(), &self.item)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stored").field(&self.store.place(&self.item)).finish()
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Stored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
