//! What stands behind a score, for the reason of an alert: records with their controls, profiles of controls, recommendations.
//!
//! Asked for only when an alert fires, one call after the other, so that a tenant's limits (Graph: 4 calls at once; Defender: 100 a
//! minute) see little of it. Nothing here decides whether there is an alert.

mod profiles;
mod recommendations;
pub(super) mod records;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use profiles::KeptProfiles;

use super::{
    Account, Failure, FailureClass, FetchError, Inner, Microsoft, Need, bounded,
    cloud::Api,
    error::garbage,
    source::{self, HISTORY_DAYS, secure_score::page_bytes_max},
    token::TokenRequest,
};
use crate::domain::{ControlProfiles, RecommendationList, ScoreRecord, Timestamp};

/// The app role that recommendations need ("List all recommendations", Defender for Endpoint API).
pub const RECOMMENDATIONS_ROLE: &str = "SecurityRecommendation.Read.All";

/// A history of that many records or more is an answer of some megabytes.
const HISTORY_FROM: usize = 8;
/// Hundreds of profiles, with paragraphs of remediation each.
const PROFILE_BYTES_MAX: usize = 16 * 1024 * 1024;
const PROFILE_PAGES_MAX: usize = 20;

/// One walk along an API's pages.
struct Walk<'a> {
    account: &'a Account,
    api: Api,
    path: String,
    page_bytes_max: usize,
    pages_max: usize,
    next_check_at: Timestamp,
}

impl Microsoft {
    /// The records of these days, with their controls, as far as Graph still has them. Source: "List secureScores".
    ///
    /// # Errors
    /// [`FetchError`], as for a score.
    pub async fn records(
        &self,
        account: &Account,
        days: &BTreeSet<Timestamp>,
        next_check_at: Timestamp,
    ) -> Result<BTreeMap<Timestamp, ScoreRecord>, FetchError> {
        let mut found = BTreeMap::new();
        let Some(oldest) = days.first() else { return Ok(found) };
        let age = self.inner.wire.clock.now().since(*oldest).as_secs() / (24 * 60 * 60);
        let count = usize::try_from(age).unwrap_or(HISTORY_DAYS).saturating_add(1).min(HISTORY_DAYS);
        // The semaphore is never closed.
        let _place = if count >= HISTORY_FROM { self.inner.histories.acquire().await.ok() } else { None };
        let walk = Walk {
            account,
            api: Api::Graph,
            path: format!("/v1.0/security/secureScores?$top={count}"),
            page_bytes_max: page_bytes_max(count),
            pages_max: HISTORY_DAYS,
            next_check_at,
        };
        let read = |page: &[u8]| {
            let next = records::read(page, days, &mut found)?;
            // Newest first: behind the last of the days there is nothing to find.
            Ok(next.filter(|_| found.len() < days.len()))
        };
        let walked = self.inner.walk(walk, read).await;
        walked.map_err(|failure| of(failure, account))?;
        Ok(found)
    }

    /// What Microsoft says of the tenant's controls; read again once a day, and if what is kept was read before `fresh_since`.
    /// Source: "List secureScoreControlProfiles".
    ///
    /// # Errors
    /// [`FetchError`] when there is nothing, not even from an earlier day.
    pub async fn profiles(
        &self,
        account: &Account,
        fresh_since: Timestamp,
        next_check_at: Timestamp,
    ) -> Result<Arc<ControlProfiles>, FetchError> {
        let (kept, now) = (&self.inner.profiles, self.inner.wire.clock.now());
        if let Some(profiles) = kept.fresh(account, fresh_since, now) {
            return Ok(profiles);
        }
        let mut profiles = ControlProfiles::new();
        let walk = Walk {
            account,
            api: Api::Graph,
            path: "/v1.0/security/secureScoreControlProfiles".to_owned(),
            page_bytes_max: PROFILE_BYTES_MAX,
            pages_max: PROFILE_PAGES_MAX,
            next_check_at,
        };
        match self.inner.walk(walk, |page| profiles::read(page, &mut profiles)).await {
            Ok(()) => Ok(kept.keep(account, profiles, now)),
            Err(failure) => kept.any(account).ok_or_else(|| of(failure, account)),
        }
    }

    /// What Defender recommends to the tenant, in one call. Source: "List all recommendations" (Defender for Endpoint API).
    ///
    /// # Errors
    /// [`FailureClass::RoleMissing`] without [`RECOMMENDATIONS_ROLE`]; else [`FetchError`], as for a score.
    pub async fn recommendations(
        &self,
        account: &Account,
        only_configuration: bool,
        next_check_at: Timestamp,
    ) -> Result<RecommendationList, FetchError> {
        let mut list = RecommendationList::default();
        let walk = Walk {
            account,
            api: Api::Defender,
            path: recommendations::path(only_configuration),
            page_bytes_max: recommendations::PAGE_BYTES_MAX,
            pages_max: 1,
            next_check_at,
        };
        let read = |page: &[u8]| {
            list = recommendations::read(page)?;
            Ok(None)
        };
        let walked = self.inner.walk(walk, read).await;
        walked.map_err(|failure| of(failure, account))?;
        Ok(list)
    }
}

impl Inner {
    /// Reads page after page. `read` says where the next one is, if it is wanted.
    async fn walk(
        &self,
        walk: Walk<'_>,
        mut read: impl FnMut(&[u8]) -> Result<Option<String>, Failure>,
    ) -> Result<(), Failure> {
        let Walk { account, api, path, page_bytes_max, pages_max, next_check_at } = walk;
        let base = api.base(&account.hosts);
        let token_request = TokenRequest { account, scope: api.scope(&account.hosts), next_check_at };
        let mut url = format!("{base}{path}");
        let mut bytes_left = page_bytes_max.saturating_mul(2);
        for _ in 0..pages_max {
            let page = self.page(api, token_request, page_bytes_max.min(bytes_left), &url, Need::Reason).await?;
            bytes_left = bytes_left.saturating_sub(page.len());
            if !super::is_object(&page) {
                return Err(garbage("the API's answer is not a JSON object"));
            }
            match read(&page)? {
                Some(next) => url = source::follow(base, next)?,
                None => return Ok(()),
            }
        }
        Err(bounded::too_large(format!("the API's answer has more than {pages_max} pages")))
    }
}

fn of(failure: Failure, account: &Account) -> FetchError {
    FetchError {
        tenant: account.tenant.clone(),
        hint: if failure.class == FailureClass::RoleMissing { None } else { failure.class.hint().map(Into::into) },
        class: failure.class,
        what: failure.what.into_owned(),
        entra_code: failure.entra_code,
        retry_after: failure.retry_after,
        correlation: failure.correlation,
    }
}
