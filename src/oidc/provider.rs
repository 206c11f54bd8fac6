//! One provider: where a sign-in begins and where it ends.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    cache::{Cache, Source},
    callback::Callback,
    claims::{self, Expected, GroupsClaim},
    error::{SignInError, SignInFailure},
    exchange::{self, Tokens},
    grant::{Granted, Membership, decide},
    jws::{self, Claims, Unsigned},
    overage,
    pending::{Pending, is_same},
    settings::Settings,
    wire::{DEADLINE, Wire},
};
use crate::{clock::Clock, egress::Egress};

/// A sign-in that begins: where the browser goes, and what it takes along.
#[derive(Debug)]
pub struct Begun {
    /// The provider's page, for a redirect. It holds `state`, `nonce` and the PKCE challenge, and no secret.
    pub url: Url,
    /// To be kept in a cookie of the browser ([`Pending::cookie`]).
    pub pending: Pending,
}

/// Somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The provider's identifier of them: stable, and unique together with the issuer.
    pub subject: String,
    /// How what they do is signed: their user name or mail address at the provider, else the subject; without hidden characters.
    pub name: String,
    /// What of their groups and app roles counts.
    pub membership: Membership,
    /// What that allows them by the grants that are in force.
    pub granted: Granted,
    /// The path of this site that they wanted to see.
    pub target: String,
}

/// A provider, with what is known of it.
#[derive(Debug)]
pub struct Provider {
    settings: Arc<Settings>,
    wire: Wire,
    clock: Clock,
    cache: Cache,
}

/// The provider of the configuration in force. A reload that leaves its settings as they are keeps what is known of it.
#[derive(Debug)]
pub struct Providers {
    egress: Egress,
    clock: Clock,
    current: Mutex<Option<Arc<Provider>>>,
}

impl Providers {
    /// Knows no provider yet; each is asked when it is needed.
    #[must_use]
    pub fn new(egress: Egress, clock: Clock) -> Self {
        Self { egress, clock, current: Mutex::default() }
    }

    /// The provider with these settings.
    #[must_use]
    pub fn of(&self, settings: &Arc<Settings>) -> Arc<Provider> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = current.as_ref().filter(|provider| provider.settings == *settings) {
            return Arc::clone(provider);
        }
        let provider = Arc::new(Provider::new(Arc::clone(settings), self.egress.clone(), self.clock.clone()));
        *current = Some(Arc::clone(&provider));
        provider
    }
}

impl Provider {
    /// A provider of which nothing is known yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>, egress: Egress, clock: Clock) -> Self {
        let wire = Wire { egress, private: settings.private.clone(), deadline: DEADLINE };
        Self { settings, wire, clock, cache: Cache::default() }
    }

    /// Begins a sign-in that leads back to `target`, a path of this site.
    ///
    /// # Errors
    /// [`SignInError`] when the provider's discovery document can't be had.
    pub async fn begin(&self, target: &str) -> Result<Begun, SignInError> {
        let document = self.cache.document(self.source()).await?;
        let pending = Pending::begin(target, self.clock.now())?;
        let settings = &self.settings;
        let scopes: Vec<&str> = ["openid"].into_iter().chain(settings.scopes.iter().map(String::as_str)).collect();
        let mut url = document.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &settings.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", pending.state())
            .append_pair("nonce", pending.nonce())
            .append_pair("code_challenge", &pending.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Begun { url, pending })
    }

    /// Ends a sign-in with the query that the browser brings to the callback, and with what its cookie keeps.
    ///
    /// # Errors
    /// [`SignInError`] says why nobody was signed in, and what to do.
    pub async fn finish(&self, pending: &Pending, query: &str) -> Result<SignedIn, SignInError> {
        let callback = Callback::read(query)?;
        pending.admit(&callback.state, self.clock.now())?;
        let document = self.cache.document(self.source()).await?;
        let is_ours = match &callback.issuer {
            Some(issuer) => is_same(issuer, &self.settings.issuer),
            None => !document.names_issuer,
        };
        if !is_ours {
            return Err(SignInError::new(
                SignInFailure::Garbage,
                "the browser came back from another provider",
                "start again; if this happens each time, check `access.oidc.issuer`",
            ));
        }
        let code = callback.outcome?;
        let tokens = exchange::redeem(&self.wire, &self.settings, &document, pending, &code).await?;
        let claims = self.open(&tokens.id_token).await?;
        let expected = Expected { settings: &self.settings, nonce: pending.nonce(), now: self.clock.now() };
        let identity = claims::identify(&claims, &expected)?;
        let membership = self.membership(&claims, &tokens).await?;
        let granted = decide(&self.settings.grants, &membership).ok_or_else(|| self.not_granted(&claims))?;
        let target = pending.target().to_owned();
        Ok(SignedIn { subject: identity.subject, name: identity.name, membership, granted, target })
    }

    /// One that gives up on a request after that time.
    #[cfg(test)]
    pub(super) fn with_deadline(mut self, deadline: std::time::Duration) -> Self {
        self.wire.deadline = deadline;
        self
    }

    fn source(&self) -> Source<'_> {
        Source { settings: &self.settings, wire: &self.wire, clock: &self.clock }
    }

    /// The claims of a token that one of the provider's keys signed; of a key that is not known, the provider is asked.
    async fn open(&self, token: &SecretString) -> Result<Claims, SignInError> {
        let mut opened = Err(Unsigned::UnknownKey);
        for lacks_one in [false, true] {
            let keys = self.cache.keys(self.source(), lacks_one).await?;
            opened = jws::open(token.expose_secret(), &keys, &self.settings.algorithms);
            if !matches!(opened, Err(Unsigned::UnknownKey)) {
                break;
            }
        }
        opened.map_err(|why| {
            let (what, hint) = match why {
                Unsigned::Malformed => ("the ID token can't be read", "check the client at the provider"),
                Unsigned::Algorithm => (
                    "the ID token is not signed by an algorithm that is accepted",
                    "have the provider sign ID tokens by RS256, PS256 or ES256",
                ),
                Unsigned::UnknownKey => (
                    "the ID token is signed by a key that the provider does not publish",
                    "start again in a minute; if this happens each time, check the provider's `jwks_uri`",
                ),
                Unsigned::Signature => {
                    ("the signature of the ID token is wrong", "check `access.oidc.issuer` and the way to the provider")
                }
            };
            SignInError::new(SignInFailure::TokenInvalid, what, hint)
        })
    }

    /// What counts of the person's groups and app roles; where the token has no room for the groups, they are looked up.
    async fn membership(&self, claims: &Claims, tokens: &Tokens) -> Result<Membership, SignInError> {
        let settings = &self.settings;
        let mut membership = claims::membership(claims, settings);
        let groups: BTreeSet<&str> = settings.grants.iter().filter_map(|grant| grant.group()).collect();
        if groups.is_empty() || claims::groups_claim(claims, settings) != GroupsClaim::Overage {
            return Ok(membership);
        }
        let Some(entra) = &settings.entra else {
            return Err(overage::unknown("the provider says that they have to be looked up elsewhere"));
        };
        membership.groups = overage::member_of(&self.wire, entra, tokens.bearer.as_ref(), &groups).await?;
        Ok(membership)
    }

    fn not_granted(&self, claims: &Claims) -> SignInError {
        let names_groups = self.settings.grants.iter().any(|grant| grant.group().is_some());
        let lacks_groups = claims::groups_claim(claims, &self.settings) == GroupsClaim::Absent;
        let (what, hint) = if names_groups && lacks_groups {
            (
                format!("no grant covers this account, and the ID token has no claim `{}`", self.settings.groups_claim),
                "have the provider put groups into ID tokens (in Entra: Token configuration, Add groups claim), or use \
                 `app_role:`; a person in no group has no such claim either",
            )
        } else {
            (
                "no grant covers this account".to_owned(),
                "add the account to a group under `access.oidc.grants`, or add a grant for one of its groups",
            )
        };
        SignInError::new(SignInFailure::NotGranted, what, hint)
    }
}
