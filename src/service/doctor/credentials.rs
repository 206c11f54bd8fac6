//! Credentials of apps: whether their stores give them, and when they expire.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};

use super::{Finding, finding::few};
use crate::{
    clock::Clock,
    config::{Config, Tenant},
    domain::Timestamp,
    egress::Egress,
    microsoft::{AppCredential, CredentialMaterial, Microsoft, PassedOver, Rejected},
    secret::SecretReference,
    telemetry::Metrics,
};

/// What is asked of stores at a time.
const ASKED_MAX: usize = 16;
/// How long ahead a credential is warned of, as the operator is.
const EXPIRES_SOON: Duration = Duration::from_hours(30 * 24);
const ROTATE: &str = "make a new one and store it beside the old one; see docs/guides/credentials.md";

pub(super) async fn findings(config: &Config, egress: &Egress, is_offline: bool, clock: &Clock) -> Vec<Finding> {
    let now = clock.now();
    let mut found = if is_offline { Vec::new() } else { of_stores(config).await };
    let users = users(config);
    let rejected = if is_offline { BTreeSet::new() } else { rejected(config, &users, egress, clock, &mut found).await };
    let apps: Vec<_> = users.values().map(|tenants| Arc::clone(&tenants[0].account.app)).collect();
    // Certificates are read off the runtime's threads: a disk may be slow.
    let read = move || apps.iter().map(|app| expiries(app, &rejected)).collect::<Vec<_>>();
    let expiries = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    let (mut first, mut troubled) = (None::<Timestamp>, Vec::new());
    for (tenants, expiries) in users.values().zip(expiries) {
        let names: Vec<_> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        first = first.into_iter().chain(expiries.iter().flatten().copied()).min();
        troubled.extend(judge(&few(&names), &expiries, now));
    }
    if troubled.is_empty() {
        let what = first.map_or_else(
            || "no `expires:` is noted, and no certificate is used".to_owned(),
            |first| format!("no credential expires before {}", first.to_chrono().date_naive()),
        );
        troubled.push(Finding::ok("expiry", what));
    }
    found.extend(troubled);
    found
}

/// The tenants of each app.
fn users(config: &Config) -> BTreeMap<usize, Vec<&Arc<Tenant>>> {
    let mut users: BTreeMap<usize, Vec<&Arc<Tenant>>> = BTreeMap::new();
    for tenant in config.tenants.values() {
        users.entry(Arc::as_ptr(&tenant.account.app).addr()).or_default().push(tenant);
    }
    users
}

/// When the credentials expire that are not rejected: nothing signs in with the others even now.
fn expiries(app: &AppCredential, rejected: &BTreeSet<Rejected>) -> Vec<Option<Timestamp>> {
    let is_accepted = |material: &&CredentialMaterial| !rejected.contains(&(app.client_id, material.kept.clone()));
    app.materials.iter().filter(is_accepted).map(CredentialMaterial::expires_at).collect()
}

/// Signs in once to each app that has several credentials, since a rejected one does not show while an older one is accepted. Returns
/// those that were rejected, and adds what to say of them.
async fn rejected(
    config: &Config,
    users: &BTreeMap<usize, Vec<&Arc<Tenant>>>,
    egress: &Egress,
    clock: &Clock,
    found: &mut Vec<Finding>,
) -> BTreeSet<Rejected> {
    let microsoft = Microsoft::new(egress.clone(), clock.clone(), Metrics::default(), config.timeout);
    let rotating = users.values().map(|tenants| tenants[0]).filter(|tenant| tenant.account.app.materials.len() > 1);
    let asked = rotating.filter_map(|tenant| Some((tenant, *tenant.scores.first()?)));
    // Why nothing signs in is what the checks of the tenant say.
    stream::iter(asked)
        .for_each_concurrent(ASKED_MAX, async |(tenant, score)| {
            drop(microsoft.granted(&tenant.account, score, clock.now()).await);
        })
        .await;
    for passed_over in microsoft.passed_over() {
        let of_app = users.values().flatten().filter(|tenant| passed_over.is_of(&tenant.account.app));
        let names: Vec<_> = of_app.map(|tenant| tenant.id.as_str()).collect();
        found.push(of_passed_over(&few(&names), &passed_over));
    }
    microsoft.rejected()
}

/// What to say of a credential that was rejected while an older one was accepted.
fn of_passed_over(tenants: &str, passed_over: &PassedOver) -> Finding {
    let (kind, why) = (passed_over.kind.words(), passed_over.class.words());
    let what = format!("the newest credential of {tenants}, a {kind}, was rejected ({why}); an older one signs in");
    let instead = passed_over.class.hint().unwrap_or(ROTATE);
    Finding::warning("expiry", what, format!("keep the older credential until the newest one works: {instead}"))
}

/// Each secret that a program or a store has to be asked for.
async fn of_stores(config: &Config) -> Vec<Finding> {
    let of_tenants = config.tenants.values().flat_map(|tenant| &tenant.account.app.materials);
    let of_tenants = of_tenants.flat_map(CredentialMaterial::references);
    let of_channels = config.channels.values().flat_map(|settings| settings.kind.secrets());
    let stored: BTreeSet<&SecretReference> =
        of_tenants.chain(of_channels).filter(|secret| secret.is_stored()).collect();
    let count = stored.len();
    let asked = stored.into_iter().map(async |secret| {
        secret.fetch().await;
        let error = secret.resolve().err()?;
        Some(Finding::error("secrets", format!("{}: {}", error.place, error.what), error.hint))
    });
    let failed: Vec<_> = stream::iter(asked).buffer_unordered(ASKED_MAX).collect().await;
    let mut failed: Vec<_> = failed.into_iter().flatten().collect();
    failed.sort_by(|one: &Finding, other| one.what.cmp(&other.what));
    if count > 0 && failed.is_empty() {
        failed.push(Finding::ok("secrets", format!("stores and programs gave all {count} secrets")));
    }
    failed
}

/// What to say of one app by when its credentials expire, each of which may not be known. As long as one of them is valid, the app can
/// sign in.
fn judge(tenants: &str, expiries: &[Option<Timestamp>], now: Timestamp) -> Option<Finding> {
    let day = |at: Timestamp| at.to_chrono().date_naive();
    let last = expiries.iter().copied().min_by_key(|expires| (expires.is_some(), std::cmp::Reverse(*expires)))?;
    if let Some(last) = last.filter(|last| *last <= now) {
        let what = format!("the credential of {tenants} expired on {}", day(last));
        return Some(Finding::error("expiry", what, ROTATE));
    }
    let first = expiries.iter().flatten().min()?;
    if *first <= now {
        let what = format!("an old credential of {tenants} expired on {}", day(*first));
        return Some(Finding::warning(
            "expiry",
            what,
            "remove it from the configuration and from the app registration",
        ));
    }
    let last = last?;
    (last <= now.plus(EXPIRES_SOON)).then(|| {
        let what = format!("the credential of {tenants} expires on {}", day(last));
        Finding::warning("expiry", what, ROTATE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        microsoft::{CredentialKind, FailureClass},
        service::doctor::Verdict,
    };

    #[test]
    fn a_rejected_credential_counts_for_nothing_and_is_named() {
        let kept = |name: &str| SecretReference::File(name.into());
        let material = |name: &str, expires: &str| CredentialMaterial {
            expires: Timestamp::parse(expires),
            ..CredentialMaterial::new(CredentialKind::Secret, kept(name))
        };
        let app = AppCredential {
            client_id: uuid::Uuid::nil(),
            materials: vec![material("new", "2028-01-01T00:00:00Z"), material("old", "2026-12-24T00:00:00Z")],
        };
        let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
        assert_eq!(judge("`contoso`", &expiries(&app, &BTreeSet::new()), now), None);
        let rejected = BTreeSet::from([(app.client_id, kept("new"))]);
        let found = judge("`contoso`", &expiries(&app, &rejected), now).unwrap();
        assert_eq!(found.what, "the credential of `contoso` expires on 2026-12-24");
        let passed_over = PassedOver {
            client_id: app.client_id,
            kind: CredentialKind::Secret,
            class: FailureClass::SecretWrong,
            what: "AADSTS7000215".into(),
            mark: 1,
        };
        let found = of_passed_over("`contoso`", &passed_over);
        assert_eq!(found.verdict, Verdict::Warning);
        assert!(
            found.what.starts_with("the newest credential of `contoso`, a client secret, was rejected ("),
            "{found:?}"
        );
    }

    #[test]
    fn an_app_is_judged_by_the_credential_that_lasts_longest() {
        let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
        let day = |text: &str| (!text.is_empty()).then(|| Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap());
        for (expiries, verdict) in [
            (&["2027-11-30"][..], None),
            (&[""], None),
            (&["2026-12-24"], Some(Verdict::Warning)),
            (&["2026-12-24", ""], None),
            (&["2027-11-30", "2026-12-24"], None),
            (&["2027-11-30", "2026-11-01"], Some(Verdict::Warning)),
            (&["2026-11-30"], Some(Verdict::Error)),
            (&["2026-11-30", "2026-11-01"], Some(Verdict::Error)),
            (&[], None),
        ] {
            let expiries: Vec<_> = expiries.iter().map(|text| day(text)).collect();
            let found = judge("`contoso`", &expiries, now);
            assert_eq!(found.as_ref().map(|found| found.verdict), verdict, "{expiries:?}: {found:?}");
        }
    }
}
