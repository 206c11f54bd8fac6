//! When many tenants that can't be read are one outage: a table of fleets, and what is decided of each. Pure, no cloud.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use scorewatch::{
    check::outage::{Cause, Decision, Fleet, News, decide, notice},
    config::{Config, Operator},
    domain::{TenantId, Timestamp},
    microsoft::{Account, AppCredential, FailureClass, Hosts},
    secret::SecretReference,
    store::{Blind, Failing, FailingTenant, Outage},
};
use uuid::Uuid;

use super::setup::{Build, at, channel, channels, config, tenant, tenant_id};

/// The number of tenants; each app has `per_app` of them, in the order of their names.
fn fleet(size: usize, per_app: usize) -> Config {
    let mut fleet = config();
    fleet.operator = Operator { notify: channels(&["ops"]), ..fleet.operator };
    let folder = tempfile::tempdir().unwrap();
    for number in 0..size {
        let mut one = tenant(&name(number), "https://cloud.example", folder.path());
        let app = Uuid::from_u128(1 + (number / per_app) as u128);
        let credential = AppCredential::with_secret(app, SecretReference::Env("UNUSED".to_owned()));
        one.account = Account { app: Arc::new(credential), ..one.account };
        fleet = fleet.with_tenant(one);
    }
    fleet
}

fn name(number: usize) -> String {
    format!("t{number:03}")
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<TenantId> {
    numbers.into_iter().map(|number| tenant_id(&name(number))).collect()
}

/// A tenant that has been failing since then and whose alert fires; these channels were notified.
fn hit(number: usize, class: FailureClass, since: Timestamp, notified_channels: &[&str]) -> FailingTenant {
    FailingTenant {
        tenant: tenant_id(&name(number)),
        checked_at: Some(at(60)),
        failing: Failing { since, class: class.as_str().to_owned(), hint: None },
        blind: Some(Blind { notified_channels: channels(notified_channels) }),
    }
}

fn hits(numbers: std::ops::Range<usize>, class: FailureClass) -> Vec<FailingTenant> {
    numbers.map(|number| hit(number, class, at(0), &[])).collect()
}

/// All of the fleet were checked a while before it failed, or after.
fn witnesses(config: &Config) -> HashMap<TenantId, Timestamp> {
    config.tenants.keys().map(|id| (id.clone(), at(50))).collect()
}

fn decided(config: &Config, failing: &[FailingTenant], outages: &[Outage]) -> Decision {
    decide(Fleet { config, failing, outages, checked: &witnesses(config) }, at(60))
}

fn going_on(cause: &Cause, tenants: BTreeSet<TenantId>, notified_at: Option<Timestamp>) -> Outage {
    let notified_channels = if notified_at.is_some() { channels(&["ops"]) } else { Vec::new() };
    Outage { cause: cause.key(), since: at(0), tenants, notified_at, notified_channels, over_at: None }
}

#[test]
fn many_tenants_are_one_outage_and_fewer_are_reported_one_by_one() {
    use FailureClass::{
        ConsentMissing, LicenceMissing, MicrosoftDown, SecretExpired, SecretUnreadable, TokenRefused, Unreachable,
    };
    let app = |number: u128| Uuid::from_u128(number);
    // Tenants; tenants of each app; how many fail; how; the outage that is made of it.
    for (size, per_app, failing, class, cause) in [
        (30, 30, 9, MicrosoftDown, None),
        (30, 30, 10, MicrosoftDown, Some(Cause::Service)),
        (30, 30, 10, Unreachable, Some(Cause::Service)),
        (30, 30, 10, TokenRefused, Some(Cause::Refusal(TokenRefused))),
        // A third of the fleet, and no less.
        (31, 31, 10, MicrosoftDown, None),
        (300, 300, 99, MicrosoftDown, None),
        (300, 300, 100, MicrosoftDown, Some(Cause::Service)),
        // Few, but all of the fleet, or all of one app.
        (1, 1, 1, MicrosoftDown, None),
        (2, 2, 2, MicrosoftDown, Some(Cause::Service)),
        (3, 3, 2, MicrosoftDown, None),
        (100, 2, 2, MicrosoftDown, Some(Cause::Service)),
        (100, 3, 2, MicrosoftDown, None),
        (100, 1, 1, MicrosoftDown, None),
        // A credential that opens several is to blame as soon as two fail by it.
        (100, 100, 1, SecretExpired, None),
        (100, 100, 2, SecretExpired, Some(Cause::Credential(app(1)))),
        (100, 1, 2, SecretExpired, None),
        // One that can't be read on this machine opens none of them, whoever comes first.
        (100, 100, 1, SecretUnreadable, Some(Cause::Credential(app(1)))),
        (100, 2, 1, SecretUnreadable, Some(Cause::Credential(app(1)))),
        (100, 1, 2, SecretUnreadable, None),
        // An app itself: all that it has, or many.
        (100, 2, 2, ConsentMissing, Some(Cause::App(app(1)))),
        (100, 50, 9, ConsentMissing, None),
        (100, 30, 10, ConsentMissing, Some(Cause::App(app(1)))),
        // A licence is each tenant's own.
        (30, 30, 30, LicenceMissing, None),
    ] {
        let config = fleet(size, per_app);
        let decision = decided(&config, &hits(0..failing, class), &[]);
        let case = format!("{failing} of {size}, {per_app} an app, {class}");
        assert_eq!(decision.causes.open, cause.clone().into_iter().collect(), "{case}");
        let alone = if cause.is_some() { BTreeSet::new() } else { ids(0..failing) };
        assert_eq!(decision.alone.iter().cloned().collect::<BTreeSet<_>>(), alone, "{case}");
        assert_eq!(decision.changed.len(), usize::from(cause.is_some()), "{case}");
        for (outage, news) in &decision.changed {
            assert_eq!(
                (outage.since, outage.notified_at, &outage.tenants),
                (at(0), Some(at(60)), &ids(0..failing)),
                "{case}"
            );
            let class = class.as_str().to_owned();
            assert_eq!(*news, Some(News::Began { class, hint: None, notified_before: BTreeSet::new() }), "{case}");
        }
    }
}

/// One message, not one for each tenant as its turn comes.
#[test]
fn a_shared_secret_that_can_not_be_read_is_reported_once_with_its_place_and_all_who_need_it() {
    let config = fleet(6, 3);
    let config = config.with_channel(channel("ops", "https://ops.example"));
    let mut first = hit(0, FailureClass::SecretUnreadable, at(0), &[]);
    first.failing.hint = Some("file secrets/app: create it".to_owned());
    let decision = decided(&config, std::slice::from_ref(&first), &[]);
    let [(outage, Some(news))] = &decision.changed[..] else { panic!("{decision:?}") };
    let [notice] = &notice::notices("store", &config, outage, news, at(60))[..] else { panic!("one message") };
    let facts = notice.notification.data.operator.as_ref().unwrap();
    let app = Uuid::from_u128(1);
    assert_eq!(
        facts.summary,
        format!(
            "3 of 3 tenants can't be read: the credential of app {app} can't be read on this machine (t000, t001, t002)"
        )
    );
    assert_eq!(facts.hint.as_deref(), Some("file secrets/app: create it"));
    // The others' turn comes: nothing is said again, until all can be read.
    let failing = [first, hit(1, FailureClass::SecretUnreadable, at(30), &[])];
    let decision = decided(&config, &failing, std::slice::from_ref(outage));
    let [(outage, None)] = &decision.changed[..] else { panic!("{decision:?}") };
    assert!(decision.alone.is_empty());
    let decision = decided(&config, &[], std::slice::from_ref(outage));
    assert!(matches!(&decision.changed[..], [(_, Some(News::Over { .. }))]), "{decision:?}");
}

#[test]
fn two_reasons_at_once_are_two_outages_and_do_not_add_up() {
    let config = fleet(30, 30);
    let mut failing = hits(0..6, FailureClass::MicrosoftDown);
    failing.extend(hits(6..12, FailureClass::TokenRefused));
    assert_eq!(decided(&config, &failing, &[]).alone.len(), 12);
    let mut failing = hits(0..10, FailureClass::MicrosoftDown);
    failing.extend(hits(10..20, FailureClass::TokenRefused));
    let decision = decided(&config, &failing, &[]);
    assert_eq!(decision.causes.open, [Cause::Service, Cause::Refusal(FailureClass::TokenRefused)].into());
    assert!(decision.alone.is_empty());
}

#[test]
fn only_who_was_checked_lately_says_that_all_is_well() {
    let config = fleet(300, 300);
    let failing = hits(0..10, FailureClass::MicrosoftDown);
    let with = |checked: usize, when: Timestamp| {
        let checked = (0..10 + checked).map(|number| (tenant_id(&name(number)), when)).collect();
        decide(Fleet { config: &config, failing: &failing, outages: &[], checked: &checked }, at(60))
    };
    for (others, when, is_outage) in
        [(20, at(50), true), (21, at(50), false), (21, at(-60), false), (21, at(-61), true), (290, at(-61), true)]
    {
        assert_eq!(!with(others, when).causes.open.is_empty(), is_outage, "{others} others checked at {when}");
    }
}

#[test]
fn an_outage_is_over_when_less_than_a_quarter_of_its_tenants_is_left() {
    let config = fleet(100, 100);
    for (left, is_over) in [(40, false), (11, false), (10, false), (9, true), (1, true), (0, true)] {
        for notified_at in [None, Some(at(30))] {
            let known = going_on(&Cause::Service, ids(0..40), notified_at);
            // The outage reported them: their own alerts notified nobody.
            let decision = decided(&config, &hits(0..left, FailureClass::MicrosoftDown), std::slice::from_ref(&known));
            let case = format!("{left} left, notified {notified_at:?}");
            assert_eq!(decision.causes.open.is_empty(), is_over, "{case}");
            let over = decision.changed.iter().find(|(outage, _)| outage.over_at.is_some());
            assert_eq!(over.map(|(outage, _)| outage.over_at), is_over.then_some(Some(at(60))), "{case}");
            let news = over.and_then(|(_, news)| news.clone());
            let expected = (is_over && notified_at.is_some()).then(|| News::Over { left: ids(0..left) });
            assert_eq!(news, expected, "{case}: the end of what nobody was notified of is not sent");
            if !is_over && notified_at.is_some() {
                assert_eq!(decision.changed, [], "{case}: nothing changed");
            }
            assert!(decision.alone.is_empty(), "{case}: who is left is waited for until it was checked once more");
        }
    }
}

#[test]
fn a_tenant_left_behind_is_reported_on_its_own_once_it_was_checked_again() {
    let config = fleet(100, 100);
    let over = Outage { over_at: Some(at(40)), ..going_on(&Cause::Service, ids(0..40), Some(at(30))) };
    for (checked_at, alone) in [(None, vec![]), (Some(at(40)), vec![]), (Some(at(41)), vec![tenant_id("t003")])] {
        let failing = [FailingTenant { checked_at, ..hit(3, FailureClass::MicrosoftDown, at(0), &[]) }];
        assert_eq!(decided(&config, &failing, std::slice::from_ref(&over)).alone, alone, "{checked_at:?}");
    }
}

#[test]
fn tenants_reported_before_are_not_reported_again_and_do_not_make_the_outage_older() {
    let config = fleet(30, 30);
    let mut failing: Vec<_> =
        (0..3).map(|number| hit(number, FailureClass::MicrosoftDown, at(-600), &["ops"])).collect();
    failing.extend(hits(3..12, FailureClass::MicrosoftDown));
    let decision = decided(&config, &failing, &[]);
    let [(outage, Some(News::Began { notified_before, .. }))] = &decision.changed[..] else { panic!("{decision:?}") };
    assert_eq!((notified_before, outage.since), (&ids(0..3), at(0)));
    // About a tenant that was reported there is nothing more to say.
    let arrived: Vec<_> = (0..12).map(|number| hit(number, FailureClass::MicrosoftDown, at(0), &["ops"])).collect();
    let decision = decided(&config, &arrived, &[]);
    assert_eq!(
        decision.changed.iter().map(|(outage, news)| (outage.notified_at, news)).collect::<Vec<_>>(),
        [(None, &None)]
    );
    // Whose alert does not fire yet is not news, but part of it.
    let quiet: Vec<_> = hits(0..12, FailureClass::MicrosoftDown);
    let quiet: Vec<_> = quiet.into_iter().map(|hit| FailingTenant { blind: None, ..hit }).collect();
    let decision = decided(&config, &quiet, &[]);
    assert_eq!((decision.causes.open.len(), &decision.changed[0].1, decision.alone.len()), (1, &None, 0));
}

#[test]
fn asked_again_with_what_came_of_it_there_is_nothing_more_to_do() {
    let config = fleet(30, 30);
    let failing = hits(0..12, FailureClass::MicrosoftDown);
    let first = decided(&config, &failing, &[]);
    let again = decided(&config, &failing, &[first.changed[0].0.clone()]);
    assert_eq!((again.changed.len(), again.alone.len(), again.causes.open), (0, 0, first.causes.open));
    // One more that fails is of it, and no news.
    let more = decided(&config, &hits(0..13, FailureClass::MicrosoftDown), &[first.changed[0].0.clone()]);
    assert_eq!((&more.changed[0].0.tenants, &more.changed[0].1), (&ids(0..13), &None));
}

#[test]
fn all_of_one_host_are_an_outage_and_who_is_not_configured_is_nobody() {
    let mut config = fleet(100, 1);
    for number in 0..3 {
        let mut one = (*config.tenants[&tenant_id(&name(number))]).clone();
        let hosts = Hosts { defender: "https://eu.cloud.example".to_owned(), ..(*one.account.hosts).clone() };
        one.account = Account { hosts: Arc::new(hosts), ..one.account };
        config = config.with_tenant(one);
    }
    assert_eq!(decided(&config, &hits(0..3, FailureClass::MicrosoftDown), &[]).causes.open, [Cause::Service].into());
    assert_eq!(decided(&config, &hits(0..2, FailureClass::MicrosoftDown), &[]).alone.len(), 2);
    let gone: Vec<_> = hits(500..560, FailureClass::MicrosoftDown);
    assert_eq!(decided(&config, &gone, &[]), Decision::default());
}
