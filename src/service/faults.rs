//! Notifies the operator of what went wrong inside Scorewatch: a task that panicked, a part that is gone, a store whose file is gone.

use std::{collections::BTreeSet, time::Duration};

use tracing::error;

use crate::{
    config::Config,
    domain::Timestamp,
    notify::{NotificationType, compose, facts::wording::News, notification::OperatorFacts},
    store::{NewNotification, Store, StoreError},
    task::{self, Fault},
};

/// The longest that a dying process waits for the store.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(2);

/// Notifies the operator of every task that panicked since the last call, once an hour per task.
///
/// # Errors
/// [`StoreError`]; the log has them all.
pub async fn notify(store: &dyn Store, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let tasks: BTreeSet<&'static str> = task::take_faults().into_iter().map(|fault| fault.task).collect();
    for task in tasks {
        let facts = OperatorFacts::of(News::TaskFailed { task: task.to_owned() }, "task-failed", None);
        let hour = now.to_chrono().format("%Y-%m-%dT%H").to_string();
        let parts = ["operator.task", store.identity(), task, &hour];
        store.announce(notification(config, &parts, facts, now), now).await?;
    }
    Ok(())
}

/// Queues a notification of a part that ended, before the process ends because of it. The next process sends it.
pub async fn notify_death(store: &dyn Store, config: &Config, fault: &Fault, now: Timestamp) {
    let Fault { task, what } = fault;
    let news = News::PartFailed { task: (*task).to_owned(), error: what.clone() };
    let facts = OperatorFacts::of(news, "part-failed", None);
    let at = now.to_string();
    let parts = ["operator.death", store.identity(), task, &at];
    let new = notification(config, &parts, facts, now);
    match tokio::time::timeout(LAST_WORDS_WITHIN, store.announce(new, now)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => error!(%error, "the operator could not be notified of it"),
        Err(_) => error!("the operator could not be notified of it: the store did not answer"),
    }
}

/// Notifies the operator that the store's file is not where it was, once a day.
///
/// # Errors
/// [`StoreError`].
pub async fn notify_of_files(store: &dyn Store, config: &Config, what: &str, now: Timestamp) -> Result<(), StoreError> {
    let facts = OperatorFacts::of(News::StoreFileGone { what: what.to_owned() }, "store-file-gone", None);
    let day = now.to_chrono().format("%Y-%m-%d").to_string();
    let parts = ["operator.store", store.identity(), what, &day];
    store.announce(notification(config, &parts, facts, now), now).await.map(drop)
}

fn notification(config: &Config, parts: &[&str], facts: OperatorFacts, now: Timestamp) -> NewNotification {
    let notification = compose::for_operator(NotificationType::OperatorDowntime, parts, None, facts, now);
    let channels = config.operator.notify.clone();
    NewNotification { notification, alert: None, tenant: None, hold: None, channels }
}
