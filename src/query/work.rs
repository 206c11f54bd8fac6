//! What would gain the most points across the fleet: Defender's recommendations and the controls of the secure score, as they are
//! remembered of each tenant. They are read when an alert of the tenant fires or worsens, so what was done since still counts.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Error;
use crate::{
    config::Config,
    domain::{Scope, TenantId},
    store::{Overview, TenantAdvice, TenantLine},
};
pub use crate::{domain::Impact, store::Advice};

/// The most tenants that are named for each recommendation.
const NAMED: u32 = 5;

/// What would gain points, over all tenants together and by tenant.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Work {
    /// What to do, and what it would gain over all tenants.
    #[serde(flatten)]
    pub advice: Advice,
    /// The tenants that would gain the most by it, the most points first; the others are only counted.
    pub most: Vec<Gain>,
}

/// What a recommendation would gain in one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Gain {
    /// The tenant's id in the configuration.
    pub tenant: TenantId,
    /// The tenant's name as messages show it.
    pub name: String,
    /// How much its score would gain, in points.
    pub points: f64,
    /// The page of Microsoft's portal that shows that score of that tenant.
    pub portal: String,
}

/// What would gain the most points, and of how many tenants that is known: those of which an alert fired or worsened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// Recommendations, the one that earns the most points first.
    pub items: Vec<Work>,
    /// Of how many tenants recommendations are known.
    pub known_tenants: u64,
    /// How many tenants there are.
    pub tenants: usize,
}

/// The tenants of the scope that the store remembers. What is remembered of a tenant that is no longer configured, or of another one that
/// had its id before, is nobody's work.
async fn remembered(store: &dyn Overview, config: &Config, scope: &Scope) -> Result<BTreeSet<TenantId>, Error> {
    let is_it = |line: &TenantLine| {
        let tenant = config.tenants.get(&line.tenant);
        tenant.is_some_and(|tenant| line.entra.is_none_or(|entra| entra == tenant.account.entra))
    };
    let lines = store.tenant_lines().await?.into_iter();
    Ok(lines.filter(|line| scope.includes(&line.tenant) && is_it(line)).map(|line| line.tenant).collect())
}

/// What would gain the most points in the tenants of the scope together, most points first, at most `limit`.
///
/// # Errors
/// [`Error::Store`].
pub async fn work(store: &dyn Overview, config: &Config, scope: &Scope, limit: u32) -> Result<Recommended, Error> {
    let tenants = remembered(store, config, scope).await?;
    let all = store.advice(Some(&tenants), limit).await?;
    let ids: Vec<&str> = all.iter().map(|advice| advice.id.as_str()).collect();
    let advised = store.advised(Some(&tenants), &ids, NAMED).await?;
    let of = |advice: Advice| {
        let is_same = |one: &&TenantAdvice| one.id == advice.id && one.impact == advice.impact;
        let gain = |one: &TenantAdvice| {
            let tenant = config.tenants.get(&one.tenant)?;
            Some(Gain {
                tenant: tenant.id.clone(),
                name: tenant.name.to_string(),
                points: one.points,
                portal: tenant.score_page(one.impact.score()),
            })
        };
        Work { most: advised.iter().filter(is_same).filter_map(gain).collect(), advice }
    };
    Ok(Recommended {
        items: all.into_iter().map(of).collect(),
        known_tenants: store.advised_count(Some(&tenants)).await?,
        tenants: config.tenants.keys().filter(|tenant| scope.includes(tenant)).count(),
    })
}
