//! Backtests that somebody asks for over HTTP: one at a time, and none that is too much for one request.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    config::Config,
    domain::{Scope, Timestamp, parse_duration},
    query::{
        Error,
        backtest::{self, Question, Report, Source, Tried},
        find,
    },
    store::Store,
};

/// The most readings and checks that are replayed for one request, those of a whole tenant more or less: some seconds of one core. Of a larger fleet
/// some tenants are taken, and the report says how many. `scorewatch backtest` has no such limit.
const READINGS_MAX: usize = 1_000_000;

/// What is replayed, and for whom.
pub(super) struct Replay<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) config: &'a Config,
    pub(super) scope: &'a Scope,
    /// The name of the rule that is replayed.
    pub(super) rule: &'a str,
    /// Only these tenants; empty: every tenant of the scope.
    pub(super) tenants: Vec<String>,
    /// How far back, like `30d`.
    pub(super) since: &'a str,
    /// What is tried in place of what is written.
    pub(super) tried: Tried,
    pub(super) now: Timestamp,
    /// A replay uses every core, so a service has one turn only.
    pub(super) turns: Arc<Semaphore>,
}

/// What the rule would have sent.
pub(super) struct Replayed {
    /// As it is written; `None`: nobody asked.
    pub(super) written: Option<Report>,
    /// As it is tried; `None`: nothing is tried.
    pub(super) tried: Option<Report>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another one is running.
    Busy,
    /// What is asked for is not there, or can't be replayed.
    Because(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

/// What is said to whoever comes while another backtest runs.
pub(super) const BUSY: &str = "another backtest is running";

impl Replay<'_> {
    /// The rule as it is tried, or else as it is written; with `compares`, both.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) async fn run(self, compares: bool) -> Result<Replayed, Refused> {
        let Self { store, config, scope, rule, tenants, since, tried, now, turns } = self;
        let changed = tried.apply(find::rule(config, scope, rule)?)?;
        let is_tried = tried.is_any();
        let is_written = compares || !is_tried;
        parse_duration(since).map_err(|complaint| Error::invalid(complaint.to_string()))?;
        let turn = turns.try_acquire_owned().map_err(|_| Refused::Busy)?;
        let question =
            Question { rules: vec![rule.to_owned()], tenants, since: since.to_owned(), until: None, candidates: None };
        let prepared =
            backtest::prepare(Source::Sample(store, READINGS_MAX), config, scope, &question, now, || {}).await?;
        let replayed = tokio::task::spawn_blocking(move || {
            // Until it has ended, even if nobody waits for it any more.
            let _turn = turn;
            let written = is_written.then(|| prepared.report(|| {})).transpose()?;
            let tried = is_tried.then(|| prepared.report_with(changed, || {})).transpose()?;
            Ok::<_, Error>(Replayed { written, tried })
        });
        Ok(replayed.await.map_err(Error::from)??)
    }
}
