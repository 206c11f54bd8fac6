//! Where a secret is kept shows to those without limits only, on every page and in every answer that says why a tenant can't be read.

use super::*;
use crate::{
    domain::TenantId,
    store::{CheckOutcome, Commit, Failing, TenantHealth, TenantIdentity},
};

const PATH: &str = "secrets/contoso";

/// The tenant's newest check found no secret.
async fn fail(fixture: &Fixture) {
    let now = fixture.clock.now();
    let failing = Failing {
        since: now,
        class: "secret-unreadable".to_owned(),
        hint: Some(format!("create the file {PATH} and let the service read it")),
    };
    let outcome = CheckOutcome {
        tenant: TenantId::parse("contoso").unwrap(),
        identity: TenantIdentity::default(),
        expected_version: None,
        health: TenantHealth {
            first_seen_at: now,
            next_due_at: now,
            wake_at: None,
            checked_at: Some(now),
            failing: Some(failing),
            failures: Vec::new(),
            watched_since: None,
        },
        series: Vec::new(),
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now,
    };
    assert_eq!(fixture.store.commit(outcome).await.unwrap(), Commit::Done);
}

#[tokio::test]
async fn where_a_secret_is_kept_shows_to_those_without_limits_only() {
    let fixture = Fixture::new(&format!("{PUBLIC}{TENANTS}")).await;
    fail(&fixture).await;
    let all = fixture.token("all", Role::Viewer, None, "never").await;
    let one = fixture.token("one", Role::Admin, Some("contoso"), "never").await;
    for (token, is_shown) in [(all, true), (one, false)] {
        let bearer = format!("Bearer {}", token.secret.expose_secret());
        for (path, kind) in [
            ("/api/v1/tenants", "application/json"),
            ("/api/v1/tenants/contoso", "application/json"),
            ("/api/v1/fleet", "application/json"),
            ("/tenants/contoso", PAGE.1),
        ] {
            let answer = fixture.get(path, &[("authorization", &bearer), ("accept", kind)]).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            assert!(answer.body.contains("secret"), "the class shows to everybody, {path}: {}", answer.body);
            assert_eq!(answer.body.contains(PATH), is_shown, "{path}: {}", answer.body);
        }
    }
}
