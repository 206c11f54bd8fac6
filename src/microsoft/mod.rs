//! Microsoft's side: tokens, hosts per cloud, and each score's call, with every documented failure classified.
//!
//! One fetch: [`source`] says what to ask for → [`token`] (cached; else [`material`] is read, and a certificate signs an
//! [`assertion`]) → [`wire`] sends → the source reads the scores, page by page, or [`refusal`] says why there are none.
//! What stands behind a score is asked for in [`evidence`], only when an alert fires.

mod assertion;
mod averages;
mod bounded;
pub mod budget;
mod certificate;
pub mod cloud;
mod credential;
mod document;
pub mod error;
mod evidence;
mod granted;
mod number;
mod refusal;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod token;
pub mod untrusted;
mod wire;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tracing::warn;

pub use assertion::Statement;
use budget::Budget;
pub use certificate::{Certificate, CertificateError, PfxError};
use cloud::Api;
pub use cloud::Hosts;
use credential::ReadSecret;
pub use credential::{AppCredential, CredentialKind, CredentialMaterial};
use error::Failure;
pub use error::{FailureClass, FetchError};
pub use evidence::RECOMMENDATIONS_ROLE;
pub use granted::Granted;
pub use source::hosts_called;
use source::{Ask, Found, Source, Unsound};
pub use token::{PassedOver, Rejected};
use token::{Token, TokenRequest, Tokens};
use wire::Wire;

use crate::{
    clock::Clock,
    domain::{Averages, EntraTenantId, Reading, ScoreKind, ScoreRecord, Subject, TenantId, Timestamp},
    egress::{Answer, Egress, Method, Request},
    telemetry::Metrics,
};

/// How many whole histories are read at a time; sixteen of some 18 MB each.
const HISTORIES_MAX: usize = 16;

/// How long an API is left alone that asks to slow down and does not say for how long: the window of Defender's limit.
const UNSAID_WAIT: Duration = Duration::from_mins(1);

/// How to reach one tenant's APIs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Our slug, for errors and logs.
    pub tenant: TenantId,
    /// The directory to sign in to.
    pub entra: EntraTenantId,
    /// The hosts and scopes of the tenant's cloud; shared between tenants.
    pub hosts: Arc<Hosts>,
    /// Our app in that directory; shared between tenants of one multi-tenant app.
    pub app: Arc<AppCredential>,
}

impl Account {
    /// Where an administrator of the tenant grants our app what its registration asks for.
    #[must_use]
    pub fn consent_link(&self) -> String {
        self.hosts.consent_link(self.entra, self.app.client_id)
    }
}

/// The client of Microsoft's APIs. Cheap to clone; clones share tokens and connections.
#[derive(Debug, Clone)]
pub struct Microsoft {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    wire: Wire,
    tokens: Tokens,
    budget: Budget,
    /// Whole histories are some megabytes each: only that many are read at a time.
    histories: Semaphore,
    /// What Microsoft says of controls, kept for a day.
    profiles: evidence::KeptProfiles,
}

/// What a call is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// A score: a role that it needs is looked for in a new token.
    Score,
    /// The reason behind one: a token without the role is good for the scores, and is kept as long as it lives.
    Reason,
}

/// What one kind of score gave, or why it gave nothing.
type Answered = Result<Vec<Reading>, FetchError>;

/// What a poll gave of one kind of score.
#[derive(Debug)]
pub struct Polled {
    /// The kind of score.
    pub score: ScoreKind,
    /// Its readings, or why there are none.
    pub result: Result<Vec<Reading>, FetchError>,
    /// The values that were not readings, if others were; `None`: every value was valid.
    pub partly: Option<PartlyRead>,
    /// What the newest record says of other tenants; of the secure score alone.
    pub averages: Option<Averages>,
    /// The records behind the readings with their controls, by day; empty unless they were wanted.
    pub records: BTreeMap<Timestamp, ScoreRecord>,
}

/// Values of an answer that are not readings: they are impossible, or can't be assigned to one subject.
#[derive(Debug)]
pub struct PartlyRead {
    /// Why they are not readings.
    pub error: FetchError,
    /// The subjects that they belong to. These exist, although they have no value.
    pub subjects: Vec<Subject>,
}

impl Microsoft {
    /// A client that sends through `egress`; `timeout` bounds one call, body included.
    #[must_use]
    pub fn new(egress: Egress, clock: Clock, metrics: Metrics, timeout: Duration) -> Self {
        Self::with_secrets(egress, clock, metrics, timeout, |reference| Box::pin(reference.obtain()))
    }

    fn with_secrets(
        egress: Egress,
        clock: Clock,
        metrics: Metrics,
        timeout: Duration,
        read_secret: ReadSecret,
    ) -> Self {
        let wire = Wire { egress, clock, timeout };
        let tokens = Tokens::new(metrics, read_secret);
        let (budget, histories) = (Budget::default(), Semaphore::new(HISTORIES_MAX));
        Self { inner: Arc::new(Inner { wire, tokens, budget, histories, profiles: evidence::KeptProfiles::default() }) }
    }

    /// The app role that a score needs.
    #[must_use]
    pub fn required_role(score: ScoreKind) -> &'static str {
        source::of(score).role().name
    }

    /// The app role that the score does not need, but the reason of its alerts; `None`: the role of the score suffices.
    #[must_use]
    pub fn optional_role(score: ScoreKind) -> Option<&'static str> {
        (source::of(score).api() == Api::Defender).then_some(RECOMMENDATIONS_ROLE)
    }

    /// Fetches these scores of one tenant; kinds that one call gives are one call. Each value that the source gave is a reading.
    ///
    /// `newest` is the time of the newest reading that is known: sources that keep records are asked for what came since, without
    /// one for all that they keep. `next_check_at` is when the tenant is visited next: a token that will not be good by then is
    /// soon forgotten.
    pub async fn fetch_all(
        &self,
        account: &Account,
        scores: &[ScoreKind],
        newest: impl Fn(ScoreKind) -> Option<Timestamp>,
        next_check_at: Timestamp,
    ) -> Vec<(ScoreKind, Result<Vec<Reading>, FetchError>)> {
        let polled = self.poll(account, scores, newest, false, next_check_at).await;
        polled.into_iter().map(|polled| (polled.score, polled.result)).collect()
    }

    /// The same, with what of the answers was not a reading. `with_controls`: records of controls are kept, too.
    pub async fn poll(
        &self,
        account: &Account,
        scores: &[ScoreKind],
        newest: impl Fn(ScoreKind) -> Option<Timestamp>,
        with_controls: bool,
        next_check_at: Timestamp,
    ) -> Vec<Polled> {
        let mut fetched: Vec<Polled> = Vec::with_capacity(scores.len());
        for &score in scores {
            if fetched.iter().any(|done| done.score == score) {
                continue;
            }
            let source = source::of(score);
            let requested = || scores.iter().copied().filter(|score| source.scores().contains(score));
            // A kind without a reading comes first, as none is before any.
            let newest = requested().map(&newest).min().flatten();
            let ask = Ask::since(newest, self.inner.wire.clock.now());
            let answer = self.inner.fetch(account, source, ask, with_controls, next_check_at).await;
            fetched.extend(requested().map(|score| Polled {
                score,
                result: outcome(account, source, score, &answer),
                partly: partly(account, source, score, &answer),
                averages: answer.as_ref().ok().filter(|_| score.has_witness()).and_then(|found| found.averages),
                records: answer.as_ref().map_or_else(|_| BTreeMap::new(), |found| found.records.clone()),
            }));
        }
        fetched
    }

    /// Forgets what Microsoft granted and refused to an account, so that the next call asks anew: a person says that something has changed
    /// there. Only a request to wait still holds.
    pub fn forget(&self, account: &Account) {
        self.inner.tokens.forget_all(account);
    }

    /// Fetches the newest reading of one score.
    ///
    /// # Errors
    /// [`FetchError`] with its class, and what the operator can do.
    pub async fn fetch(
        &self,
        account: &Account,
        score: ScoreKind,
        next_check_at: Timestamp,
    ) -> Result<Vec<Reading>, FetchError> {
        let now = self.inner.wire.clock.now();
        let fetched = self.fetch_all(account, &[score], |_| Some(now), next_check_at).await.pop();
        fetched.map_or_else(|| Ok(Vec::new()), |(_, fetched)| fetched)
    }
}

/// What an answer means for one of the kinds that it was asked for. One that it holds nothing of has no data.
fn outcome(account: &Account, source: &dyn Source, score: ScoreKind, answer: &Result<Found, Failure>) -> Answered {
    let readings = answer.as_ref().map_err(Clone::clone).and_then(|found| {
        let of_score: Vec<Reading> = found.readings.iter().filter(|reading| reading.score == score).cloned().collect();
        if let (true, Some(unsound)) = (of_score.is_empty(), of(found, score).next()) {
            return Err(Failure::new(FailureClass::Garbage, unsound.what.clone()));
        }
        if of_score.is_empty() {
            return Err(Failure::new(FailureClass::NoData, "the API's answer contains no value"));
        }
        Ok(of_score)
    });
    readings.map_err(|failure| {
        // The caller says that it failed; support asks for these.
        tracing::debug!(
            tenant = %account.tenant,
            score = %score,
            class = %failure.class,
            entra_code = failure.entra_code,
            correlation = failure.correlation.as_deref(),
            "Microsoft gave no score"
        );
        failure.of(&account.tenant, source)
    })
}

/// The values of a kind that are not readings.
fn of(found: &Found, score: ScoreKind) -> impl Iterator<Item = &Unsound> {
    found.unsound.iter().filter(move |unsound| unsound.score == score)
}

/// The values of an answer that are not readings, if others are.
fn partly(
    account: &Account,
    source: &dyn Source,
    score: ScoreKind,
    answer: &Result<Found, Failure>,
) -> Option<PartlyRead> {
    let found = answer.as_ref().ok()?;
    let first = of(found, score).next().filter(|_| found.readings.iter().any(|reading| reading.score == score))?;
    let failure = Failure::new(FailureClass::Garbage, first.what.clone());
    let subjects = of(found, score).filter_map(|unsound| unsound.subject.clone()).collect();
    Some(PartlyRead { error: failure.of(&account.tenant, source), subjects })
}

impl Inner {
    /// Asks for page after page and reads them.
    async fn fetch(
        &self,
        account: &Account,
        source: &dyn Source,
        ask: Ask,
        mut with_controls: bool,
        next_check_at: Timestamp,
    ) -> Result<Found, Failure> {
        // The semaphore is never closed.
        let _place = if ask.is_history() { self.histories.acquire().await.ok() } else { None };
        let api = source.api();
        let base = api.base(&account.hosts);
        let token_request = TokenRequest { account, scope: api.scope(&account.hosts), next_check_at };
        let mut url = format!("{base}{}", source.path(ask));
        let mut found = Found::default();
        let page_bytes_max = source.page_bytes_max(ask);
        let mut bytes_left = page_bytes_max.saturating_mul(2);
        for _ in 0..source.pages_max() {
            let page = self.page(api, token_request, page_bytes_max.min(bytes_left), &url, Need::Score).await?;
            bytes_left = bytes_left.saturating_sub(page.len());
            let next = source.read(ask, &page, &mut found)?;
            if with_controls && source.api() == Api::Graph {
                let days = found.readings.iter().map(|reading| reading.sample.at).collect();
                // The score itself can be read: what is known of the controls stays as it was.
                if let Err(failure) = evidence::records::read(&page, &days, &mut found.records) {
                    let (tenant, class) = (&account.tenant, failure.class.as_str());
                    warn!(%tenant, class, "exclusions stay as they were: the controls can't be read: {}", failure.what);
                    found.records.clear();
                    with_controls = false;
                }
            }
            let Some(next) = next else {
                source.finish(&mut found);
                return Ok(found);
            };
            url = source::follow(base, next)?;
        }
        Err(bounded::too_large(format!("the API's answer has more than {} pages", source.pages_max())))
    }

    /// The body of one page, under a token that is renewed once if it is refused.
    async fn page(
        &self,
        api: Api,
        token_request: TokenRequest<'_>,
        bytes_max: usize,
        url: &str,
        need: Need,
    ) -> Result<Bytes, Failure> {
        let mut is_renewed = false;
        loop {
            let token = self.tokens.get(&self.wire, token_request).await?;
            self.budget.admit(token_request.account, api, self.wire.clock.now())?;
            let answer = self.call(api, token_request.account, url, bytes_max, &token).await?;
            if answer.status == 200 {
                return Ok(answer.body);
            }
            let now = self.wire.clock.now();
            let failure = refusal::of_call(&answer, now);
            match (failure.class, failure.retry_after) {
                (FailureClass::TokenRefused, _) if !is_renewed => {
                    self.tokens.forget(token_request, &token);
                    is_renewed = true;
                    continue;
                }
                // Roles are inside the token: consent given from now on shows only in a new one.
                (FailureClass::RoleMissing, _) if need == Need::Score => self.tokens.forget(token_request, &token),
                (FailureClass::Throttled, wait) => {
                    self.tokens.hold(token_request, &failure, now, wait.unwrap_or(UNSAID_WAIT));
                }
                _ => {}
            }
            return Err(failure);
        }
    }

    async fn call(
        &self,
        api: Api,
        account: &Account,
        url: &str,
        bytes_max: usize,
        token: &Token,
    ) -> Result<Answer, Failure> {
        let outgoing = || {
            // A second try is a call, too.
            self.budget.note(account, api, self.wire.clock.now());
            Request {
                method: Method::Get,
                url: SecretString::from(url),
                headers: vec![
                    ("authorization", token.bearer.clone()),
                    ("accept", SecretString::from("application/json")),
                    ("accept-encoding", SecretString::from("gzip")),
                ],
                body: Bytes::new(),
            }
        };
        let answer = self.wire.send(account.hosts.loopback, bytes_max, outgoing).await;
        answer.map_err(|error| Failure::no_answer("the API", &error))
    }
}

/// Whether the body could be a JSON object. The decoder would take a list for one, field by field.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}
