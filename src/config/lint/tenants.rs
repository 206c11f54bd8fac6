//! Tenants that do not fit each other, and what is written for none of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Maintenance, Problem, Problems, Scope, TenantId, Warning, Whole};
use crate::config::tenants::Tenants;

pub(super) fn lint(whole: &Whole<'_>, maintenance: &[Maintenance], top: &Scope<'_>, problems: &mut Problems) {
    clouds(whole.tenants, problems);
    names(whole.tenants, problems);
    windows(whole.tenants, maintenance, &top.key("maintenance"), problems);
}

/// Apps that are used in more than one national cloud: an app registration exists in one.
fn clouds(tenants: &Tenants, problems: &mut Problems) {
    let mut first: BTreeMap<uuid::Uuid, (&str, &TenantId)> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for tenant in tenants.by_id.values() {
        let (app, login) = (tenant.account.app.client_id, tenant.account.hosts.login.as_str());
        let (known, other) = *first.entry(app).or_insert((login, &tenant.id));
        if known == login || tenant.account.hosts.loopback || !seen.insert(app) {
            continue;
        }
        let Some(spot) = tenants.places.get(&tenant.id) else { continue };
        let what = format!("tenant `{}` is in another cloud than tenant `{other}`, and both use one app", tenant.id);
        let instead = "register an app in each cloud, and write `credential:` for the tenants of one of them";
        problems.list.push(Problem::warning(Warning::AppCannotServeCloud, spot.place(), "credential", what, instead));
    }
}

/// Tenants of one name, which messages can't tell apart.
fn names(tenants: &Tenants, problems: &mut Problems) {
    let mut first: BTreeMap<&str, &TenantId> = BTreeMap::new();
    for tenant in tenants.by_id.values() {
        let Some(other) = first.get(&*tenant.name) else {
            first.insert(&tenant.name, &tenant.id);
            continue;
        };
        let Some(spot) = tenants.places.get(&tenant.id) else { continue };
        let what = format!("tenant `{}` has the same name as tenant `{other}`, and messages show names", tenant.id);
        let instead = "give each a `name:` of its own";
        problems.list.push(Problem::warning(Warning::TenantNameShared, spot.place(), "name", what, instead));
    }
}

/// Windows on scores of which no tenant that they select polls any.
fn windows(tenants: &Tenants, maintenance: &[Maintenance], at: &Scope<'_>, problems: &mut Problems) {
    for (index, window) in maintenance.iter().enumerate() {
        let wanted = &window.matchers;
        let mut selected = tenants.by_id.values().filter(|tenant| {
            (wanted.tenants.is_empty() || wanted.tenants.contains(&tenant.id)) && wanted.labels.matches(&tenant.labels)
        });
        let polled = selected.any(|tenant| tenant.scores.iter().any(|score| wanted.scores.contains(score)));
        if !wanted.scores.is_empty() && !polled {
            let what =
                format!("the window `{}` covers nothing: no tenant that it selects polls these scores", window.name);
            let instead = "check its `scores:` against those that are polled, or delete it";
            problems.warning(Warning::WindowCoversNobody, &at.item(index).key("scores"), what, instead);
        }
    }
}
