//! A Microsoft cloud of many tenants: Entra's token endpoint and Defender's scores on one loopback listener.
//!
//! One request, from line to line: [`Cloud`]'s site picks the endpoint → `entra` or `defender` asks the tenant's script →
//! the usual answer is made, or the scripted one sent → `log` counts it and wakes whoever waits.

mod assertion;
mod defender;
mod entra;
mod guidance;
mod key_vault;
mod log;
mod meter;
mod refusal;
mod score;
mod tenant;
mod token;

use std::{fmt, io, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Method, Request, Response, body::Incoming};
use uuid::Uuid;

pub use assertion::Trust;
pub use entra::SignIn;
pub use log::{Counts, Entry, RequestKind};
pub use meter::{Peaks, Service};
pub use refusal::{DefenderRefusal, EntraRefusal};
pub use score::ScoreValue;
pub use tenant::{Bulk, BulkSecret, Fetch, TenantCounts};

use super::{
    Reply,
    listener::{Closed, Listener, Site},
};
use crate::domain::{Cloud as NationalCloud, EntraTenantId, ScoreKind, Timestamp};

/// Gives a simulated cloud the time: the system's, a fixed one, or one that a test moves.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a cloud behaves apart from what is scripted.
#[derive(Clone)]
pub struct CloudSettings {
    /// The time that tokens and scores go by.
    pub now: Now,
    /// How long a token lives. Entra's live 60 to 90 minutes ("Access tokens").
    pub token_life: Duration,
    /// Whether tokens are as long as real ones, some 1.4 KB, or short.
    pub long_tokens: bool,
    /// How often one app may ask for the same token while the first one lives; above, it gets AADSTS50196. `None`: as often as it likes.
    pub token_requests_max: Option<u32>,
    /// Makes every GUID a tenant that costs nothing until it is scripted. `None`: only added tenants exist.
    pub bulk: Option<Bulk>,
    /// Keeps Microsoft's published limits, and counts how near they are.
    pub metered: bool,
    /// How many requests the log keeps; 0: none, and only counters count.
    pub log_max: usize,
}

impl CloudSettings {
    /// Tokens that live 75 minutes and are short, no limit on token requests, no bulk tenants, a log of 100,000 requests.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            now,
            token_life: Duration::from_mins(75),
            long_tokens: false,
            token_requests_max: None,
            bulk: None,
            metered: false,
            log_max: 100_000,
        }
    }
}

impl fmt::Debug for CloudSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudSettings")
            .field("token_life", &self.token_life)
            .field("long_tokens", &self.long_tokens)
            .field("token_requests_max", &self.token_requests_max)
            .field("bulk", &self.bulk)
            .field("metered", &self.metered)
            .field("log_max", &self.log_max)
            .finish_non_exhaustive()
    }
}

/// A running cloud; dropping it closes its port and connections.
#[derive(Debug)]
pub struct Cloud {
    listener: Listener,
    state: Arc<State>,
}

/// The state that all requests share.
#[derive(Debug)]
struct State {
    settings: CloudSettings,
    tenants: tenant::Tenants,
    tokens: token::Mint,
    key_vault: key_vault::Secrets,
    log: log::Log,
    meter: meter::Meter,
}

impl Cloud {
    /// Starts a cloud on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Errors
    /// Whatever the operating system says to binding a loopback port.
    pub async fn start(settings: CloudSettings) -> io::Result<Self> {
        let state = Arc::new(State {
            tenants: tenant::Tenants::new(settings.bulk.clone()),
            tokens: token::Mint::new(settings.long_tokens),
            key_vault: key_vault::Secrets::default(),
            log: log::Log::new(settings.log_max),
            meter: meter::Meter::new(settings.metered),
            settings,
        });
        Ok(Self { listener: Listener::start(Arc::clone(&state)).await?, state })
    }

    /// `http://127.0.0.1:PORT`, for `endpoints: { login: …, defender: … }`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.listener.base_url()
    }

    /// Closes the port and every connection.
    pub fn stop(&self) {
        self.listener.stop();
    }

    /// Adds a tenant that consented to an app with `Score.Read.All`, or replaces one.
    pub fn add_tenant(&self, tenant: EntraTenantId, client_id: Uuid, secret: &str, device_score: f64) {
        self.state.tenants.add(tenant.0, client_id, secret, device_score);
    }

    /// Forgets a tenant: from now on Entra does not know it.
    pub fn remove_tenant(&self, tenant: EntraTenantId) {
        self.state.tenants.remove(tenant.0);
    }

    /// Changes a tenant's score. Unknown tenants and scores that Defender does not serve are left alone.
    pub fn set_score(&self, tenant: EntraTenantId, kind: ScoreKind, value: impl Into<ScoreValue>) {
        let value = value.into();
        self.state.tenants.change(tenant.0, |tenant| tenant.set_score(kind, value));
    }

    /// The daily records that Graph gives for a tenant, newest first, as they stand under `value`.
    pub fn set_records(&self, tenant: EntraTenantId, records: Vec<serde_json::Value>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.records = records);
    }

    /// The device groups that Defender gives for a tenant, as they stand under `value`.
    pub fn set_groups(&self, tenant: EntraTenantId, groups: Vec<serde_json::Value>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.groups = groups);
    }

    /// The most records that Graph puts on one page, whatever `$top` says; `None`: as many as are asked for.
    pub fn set_page_size(&self, tenant: EntraTenantId, records: Option<usize>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.page_size = records);
    }

    /// Where every list of a tenant says that it goes on; `None`: nowhere but on its own next page.
    pub fn set_next_link(&self, tenant: EntraTenantId, link: Option<&str>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.next_link = link.map(ToOwned::to_owned));
    }

    /// The national cloud that a tenant lives in; asked for a token of another one, Entra says AADSTS90038.
    pub fn set_home(&self, tenant: EntraTenantId, home: NationalCloud) {
        self.state.tenants.change(tenant.0, |tenant| tenant.home = Some(home));
    }

    /// How near the limits of a service any app has come with any tenant. Nothing unless [`CloudSettings::metered`].
    #[must_use]
    pub fn peaks(&self, service: Service) -> Peaks {
        self.state.meter.peaks(service)
    }

    /// What Graph says of a tenant's controls, as it stands under `value`.
    pub fn set_profiles(&self, tenant: EntraTenantId, profiles: Vec<serde_json::Value>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.guide.profiles = profiles);
    }

    /// What Defender recommends to a tenant, as it stands under `value`.
    pub fn set_recommendations(&self, tenant: EntraTenantId, recommendations: Vec<serde_json::Value>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.guide.recommendations = recommendations);
    }

    /// Answers all of a tenant's calls for profiles and recommendations with that; `None`: as usual again.
    pub fn set_guidance(&self, tenant: EntraTenantId, answer: Option<Reply>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.guide.reply = answer);
    }

    /// The app's secret from now on; older tokens stay good.
    pub fn set_secret(&self, tenant: EntraTenantId, secret: &str) {
        self.state.tenants.change(tenant.0, |tenant| secret.clone_into(&mut tenant.secret));
    }

    /// The certificates of the app, in DER, from now on; older tokens stay good.
    pub fn set_certificates(&self, tenant: EntraTenantId, certificates: &[&[u8]]) {
        let certificates = certificates.iter().map(|der| der.to_vec()).collect();
        self.state.tenants.change(tenant.0, |tenant| tenant.keys.certificates = certificates);
    }

    /// Whose tokens the app trusts from now on.
    pub fn set_trust(&self, tenant: EntraTenantId, trust: Option<Trust>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.keys.trust = trust);
    }

    /// A secret of the Key Vault that lies at the same address, and when it expires, in seconds after the epoch.
    pub fn set_key_vault_secret(&self, name: &str, value: &str, expires: Option<i64>) {
        self.state.key_vault.set(name, value, expires);
    }

    /// The app roles in tokens issued from now on; none: the admin never consented.
    pub fn set_roles(&self, tenant: EntraTenantId, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.state.tenants.change(tenant.0, |tenant| tenant.roles = Some(roles));
    }

    /// How many fraction digits `time` has in a tenant's answers, 0 to 7.
    pub fn set_fraction_digits(&self, tenant: EntraTenantId, digits: u8) {
        self.state.tenants.change(tenant.0, |tenant| tenant.fraction_digits = digits.min(7));
    }

    /// Answers a tenant's next token requests with these, one each.
    pub fn script_sign_ins(&self, tenant: EntraTenantId, answers: Vec<SignIn>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.sign_ins.push(answers));
    }

    /// Answers all of a tenant's token requests with that; `None`: as usual again.
    pub fn set_sign_in(&self, tenant: EntraTenantId, answer: Option<SignIn>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.sign_ins.stand(answer));
    }

    /// Answers a tenant's next calls of a score with these, one each.
    pub fn script_fetches(&self, tenant: EntraTenantId, answers: Vec<Fetch>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.fetches.push(answers));
    }

    /// Answers all of a tenant's calls of a score with that; `None`: as usual again.
    pub fn set_fetch(&self, tenant: EntraTenantId, answer: Option<Fetch>) {
        self.state.tenants.change(tenant.0, |tenant| tenant.fetches.stand(answer));
    }

    /// Answers every token request of every tenant with that, before any tenant's own script; `None`: as usual again.
    pub fn set_every_sign_in(&self, answer: Option<SignIn>) {
        self.state.tenants.set_every_sign_in(answer);
    }

    /// Answers every call of a score with that, before any tenant's own script; `None`: as usual again.
    pub fn set_every_fetch(&self, answer: Option<Fetch>) {
        self.state.tenants.set_every_fetch(answer);
    }

    /// What was asked and answered so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state.log.counts()
    }

    /// What one tenant's app asked so far; zero for tenants that were never added or scripted.
    #[must_use]
    pub fn tenant_counts(&self, tenant: EntraTenantId) -> TenantCounts {
        self.state.tenants.counts(tenant.0)
    }

    /// The requests that the log still holds, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log.entries()
    }

    /// Waits until `enough` holds; it is asked again after every request. Never ends if that never happens.
    pub async fn wait_for(&self, mut enough: impl FnMut(&Self) -> bool) {
        let mut revisions = self.state.log.revisions();
        loop {
            revisions.mark_unchanged();
            if enough(self) || revisions.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Site for State {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let path = request.uri().path();
        if let Some(tenant) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token")) {
            let tenant = tenant.to_owned();
            return entra::answer(&self, &tenant, request).await;
        }
        if let Some(name) = path.strip_prefix("/secrets/").filter(|_| request.method() == Method::GET) {
            return key_vault::answer(&self, name, &request).await;
        }
        if let Some(guidance) = guidance::served(path).filter(|_| request.method() == Method::GET) {
            return guidance::answer(&self, guidance, &request).await;
        }
        match defender::served_score(path) {
            Some(kind) if request.method() == Method::GET => defender::answer(&self, kind, &request).await,
            _ => {
                self.log.note(RequestKind::Other, None, Some(404), None);
                refusal::defender_json(404, "NotFound", "No such resource", Uuid::new_v4()).send().await
            }
        }
    }
}

/// Counts an answer and sends it.
async fn send_raw(
    state: &State,
    kind: RequestKind,
    tenant: Option<Uuid>,
    reply: Reply,
    correlation: Option<Uuid>,
) -> Result<Response<Body>, Closed> {
    state.log.note(kind, tenant, reply.seen_status(), correlation);
    reply.send().await
}

#[cfg(test)]
mod tests;
