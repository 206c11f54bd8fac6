//! The password of a database's role, which is asked for whenever a connection is opened, so that a changed one needs no restart.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::oneshot, time::timeout};

use crate::{store::StoreError, task};

/// How long a connection that is opened again waits for where the password is kept, if one is known. A lease has to be renewed meanwhile.
const ASKED_WITHIN: Duration = Duration::from_secs(1);
/// What such tasks are called.
const TASK: &str = "database password";

/// Where a password is kept.
#[async_trait]
pub trait PasswordSource: Debug + Send + Sync {
    /// Reads it again.
    ///
    /// # Errors
    /// [`StoreError::Open`], which says where it was looked for and what to do.
    async fn read(&self) -> Result<SecretString, StoreError>;

    /// The server has refused what was read last: whatever is remembered of it may be out of date.
    fn doubt(&self);
}

/// A password, and the one that was read last. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Password {
    source: Arc<dyn PasswordSource>,
    known: Arc<Mutex<Option<SecretString>>>,
}

impl Password {
    /// A password that is kept there.
    #[must_use]
    pub fn new(source: impl PasswordSource + 'static) -> Self {
        Self { source: Arc::new(source), known: Arc::default() }
    }

    /// What was read last; `None`: it was not read yet.
    pub(super) fn known(&self) -> Option<SecretString> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it, and waits as long as that takes the first time. Afterward whatever keeps it may fail or be slow without keeping the
    /// database away: then it is the one that was read last.
    ///
    /// # Errors
    /// As of [`PasswordSource::read`], if none is known.
    pub(super) async fn current(&self) -> Result<SecretString, StoreError> {
        let read = self.read();
        let Some(known) = self.known() else { return read.await };
        match timeout(ASKED_WITHIN, read).await {
            Ok(Ok(password)) => return Ok(password),
            Ok(Err(error)) => tracing::warn!(%error, "the last password of the database that was read is used"),
            Err(_) => tracing::warn!("what keeps the database's password has not answered yet; the last one is used"),
        }
        Ok(known)
    }

    /// Reads it again after the server has refused `refused`. `None`: it is still the same, as far as is known.
    pub(super) async fn instead_of(&self, refused: &SecretString) -> Option<SecretString> {
        let current = self.after_refusal().await?;
        (current.expose_secret() != refused.expose_secret()).then_some(current)
    }

    /// Reads it again after the server has refused one.
    pub(super) async fn after_refusal(&self) -> Option<SecretString> {
        self.source.doubt();
        self.current().await.ok()
    }

    /// Reads it to the end, even if the caller loses patience: the next one has it then.
    async fn read(&self) -> Result<SecretString, StoreError> {
        let (sender, answer) = oneshot::channel();
        let Self { source, known } = self.clone();
        let work = async move {
            let read = source.read().await;
            if let Ok(password) = &read {
                *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(password.clone());
            }
            // An error means that nobody waits any more.
            let _ = sender.send(read);
        };
        tokio::spawn(task::brief(TASK, work));
        let gone = || Err(StoreError::Failed("the database's password could not be read".to_owned()));
        answer.await.unwrap_or_else(|_| gone())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// What the source gives, one after the other; after the last it gives no answer.
    #[derive(Debug)]
    struct Source(Mutex<Vec<Result<&'static str, &'static str>>>);

    #[async_trait]
    impl PasswordSource for Source {
        async fn read(&self) -> Result<SecretString, StoreError> {
            let next = self.0.lock().unwrap().pop();
            match next {
                Some(read) => read.map(SecretString::from).map_err(|why| StoreError::Open(why.to_owned())),
                None => pending().await,
            }
        }

        fn doubt(&self) {}
    }

    fn password(mut answers: Vec<Result<&'static str, &'static str>>) -> Password {
        answers.reverse();
        Password::new(Source(Mutex::new(answers)))
    }

    async fn current(password: &Password) -> Result<String, StoreError> {
        password.current().await.map(|password| password.expose_secret().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn the_password_is_read_whenever_it_is_needed_and_the_last_one_is_used_while_it_can_t_be() {
        let password = password(vec![Err("sealed"), Ok("old"), Err("sealed"), Ok("new")]);
        assert_eq!(current(&password).await, Err(StoreError::Open("sealed".to_owned())));
        for expected in ["old", "old", "new", "new"] {
            // Nobody answers the last time.
            assert_eq!(current(&password).await.as_deref(), Ok(expected));
        }
    }

    #[tokio::test]
    async fn a_refused_password_is_tried_again_only_if_it_was_changed() {
        let old = SecretString::from("old");
        for (now, expected) in [(Ok("new"), Some("new")), (Ok("old"), None), (Err("sealed"), None)] {
            let password = password(vec![Ok("old"), now]);
            assert_eq!(current(&password).await.as_deref(), Ok("old"));
            let instead = password.instead_of(&old).await;
            assert_eq!(instead.as_ref().map(ExposeSecret::expose_secret), expected, "{now:?}");
        }
    }
}
