//! What the fleet page needs is read before anybody looks.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::pages::{checked, fixture};
use crate::{
    domain::{Scope, TenantId},
    query::fleet,
    store::NewEntry,
    web::{
        App,
        warm::{keep_warm, read_ahead},
    },
};

#[tokio::test]
async fn the_fleet_is_read_ahead_and_again_what_was_committed_since() {
    let fixture = fixture().await;
    let (_, config) = watch::channel(fixture.config.clone());
    let app = App::new(fixture.store.clone(), fixture.clock.clone(), config);
    let turns = app.turns.available_permits();
    let behind = async || {
        let found = fleet::behind(app.store.as_ref(), &app.config(), &app.fleet, &Scope::All).await.unwrap();
        found.into_iter().map(|line| line.tenant.to_string()).collect::<Vec<_>>()
    };
    assert!(behind().await.is_empty(), "nobody was checked yet");
    checked(&fixture).await;
    assert_eq!(behind().await, ["contoso"]);
    read_ahead(&app).await.unwrap();
    assert!(behind().await.is_empty());
    let entry = NewEntry::by_service("tenant.recheck", None, fixture.clock.now());
    assert_eq!(fixture.store.request_checks(&[TenantId::parse("contoso").unwrap()].into(), entry).await, Ok(1));
    assert_eq!(behind().await, ["contoso"], "its version is another one");
    read_ahead(&app).await.unwrap();
    assert!(behind().await.is_empty());
    assert_eq!(app.turns.available_permits(), turns, "its place is free again");
    // Once nobody looks any more, nothing is read for them.
    let now = fixture.clock.now();
    assert!(!app.fleet.is_watched(now), "reading ahead is no look");
    fleet::overall(app.store.as_ref(), &app.config(), &app.fleet, &Scope::All, now).await.unwrap();
    for (minutes, is_watched) in [(0, true), (59, true), (61, false)] {
        assert_eq!(app.fleet.is_watched(now.plus(Duration::from_mins(minutes))), is_watched, "{minutes}");
    }
}

#[tokio::test]
async fn reading_ahead_ends_at_shutdown() {
    let fixture = fixture().await;
    let (_, config) = watch::channel(fixture.config.clone());
    let app = App::new(fixture.store.clone(), fixture.clock.clone(), config);
    let shutdown = CancellationToken::new();
    let kept = tokio::spawn(keep_warm(app, shutdown.clone()));
    tokio::task::yield_now().await;
    assert!(!kept.is_finished(), "as a control");
    shutdown.cancel();
    kept.await.unwrap();
}
