//! Actions refuse what lies beyond the scope, and change nothing of it.

use scorewatch::{
    action::{
        alert::{self, Pick},
        channel, delivery, drill,
        month::{self, Wanted},
        preview::{self, Message},
        silence::{self, Draft},
        tenant,
    },
    domain::{Caller, Extras, Labels, Role, Scope, ScoreKind},
    notify::{
        NotificationType,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    query::{
        Error, Page,
        deliveries::{self, DeliveryId},
        report::{Asker, Question},
        silences::{self, SilenceId},
    },
    store::EntryFilter,
};

use super::{OTHERS, Scene, as_if_absent, nobody, only, which};
use crate::integration::setup::{minutes, tenant_id};

fn by(at: scorewatch::domain::Timestamp) -> Acknowledgement {
    Acknowledgement { at, by: "ann".to_owned(), comment: "seen".to_owned() }
}

fn draft(tenants: &[&str]) -> Draft {
    Draft {
        tenants: tenants.iter().map(|id| (*id).to_owned()).collect(),
        everything: tenants.is_empty(),
        length: Some("1h".to_owned()),
        comment: "patching".to_owned(),
        author: "ann".to_owned(),
        ..Draft::default()
    }
}

fn month<'a>(tenant: &str, channel: Option<&'a str>) -> Wanted<'a> {
    let question = Question { tenant: tenant.to_owned(), month: None, zone: None, ask_microsoft: false };
    Wanted { question, channel }
}

fn of_rule(tenant: Option<&str>) -> Message {
    Message::OfRule { rule: "drop".to_owned(), tenant: tenant.map(str::to_owned), resolved: false }
}

/// All that the store has and actions change.
pub(super) async fn state(scene: &Scene) -> String {
    let store = scene.store();
    let all = Scope::All;
    let deliveries = deliveries::list(store, &all, &deliveries::Filter::default(), &Page::ALL).await.unwrap();
    format!(
        "{:?}",
        (
            store.alerts(&scorewatch::store::AlertFilter::default()).await.unwrap(),
            deliveries,
            store.silences(None).await.unwrap(),
            store.channels().await.unwrap(),
            store.rechecks_requested().await.unwrap(),
            store.roster().await.unwrap(),
        )
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_on_what_is_beyond_the_scope_is_refused_as_if_it_did_not_exist() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let (scope, absent) = (&only(&["contoso"]), "absent");
    let caller = &Caller::limited_to(scope.clone());
    let asker = &Asker::alone(config);
    let before = state(&scene).await;
    for other in ["fabrikam", "tailspin"] {
        let of_other = alert::acknowledge(store, caller, &which(other), by(now)).await;
        let of_absent = alert::acknowledge(store, caller, &which(absent), by(now)).await;
        as_if_absent("acknowledge", (other, of_other), (absent, of_absent));
        let of_other = alert::unacknowledge(store, caller, &which(other), now).await;
        let of_absent = alert::unacknowledge(store, caller, &which(absent), now).await;
        as_if_absent("unacknowledge", (other, of_other), (absent, of_absent));
        let of_other = alert::accept(store, config, caller, &which(other), alert::Signature::default(), now).await;
        let of_absent = alert::accept(store, config, caller, &which(absent), alert::Signature::default(), now).await;
        as_if_absent("accept", (other, of_other), (absent, of_absent));
        let pick = |id: &str| Pick { tenants: vec![id.to_owned()], ..Pick::default() };
        let of_other = alert::accept_all(store, config, caller, &pick(other), false, now).await;
        let of_absent = alert::accept_all(store, config, caller, &pick(absent), false, now).await;
        as_if_absent("accept all", (other, of_other), (absent, of_absent));
        let of_other = month::send(store, config, caller, &month(other, None), asker, now).await;
        let of_absent = month::send(store, config, caller, &month(absent, None), asker, now).await;
        as_if_absent("send a month", (other, of_other), (absent, of_absent));
        let of_other = tenant::recheck(store, config, caller, other, now).await;
        let of_absent = tenant::recheck(store, config, caller, absent, now).await;
        as_if_absent("recheck", (other, of_other), (absent, of_absent));
        let of_other = tenant::forget(config, caller, other, false, now).await;
        let of_absent = tenant::forget(config, caller, absent, false, now).await;
        as_if_absent("forget", (other, of_other), (absent, of_absent));
        let [of_other, of_absent] = [other, absent].map(|id| draft(&[id]).read(config, scope, now));
        as_if_absent("silence", (other, of_other), (absent, of_absent));
    }
    for other in ["fabrikam-team", "inhouse-desk"] {
        let of_other = channel::unpark(store, config, caller, other, now).await;
        let of_absent = channel::unpark(store, config, caller, absent, now).await;
        as_if_absent("unpark", (other, of_other), (absent, of_absent));
        let of_other = drill::drill(store, config, caller, other, now).await;
        let of_absent = drill::drill(store, config, caller, absent, now).await;
        as_if_absent("drill", (other, of_other), (absent, of_absent));
        let of_other = month::send(store, config, caller, &month("contoso", Some(other)), asker, now).await;
        let of_absent = month::send(store, config, caller, &month("contoso", Some(absent)), asker, now).await;
        as_if_absent("send a month to", (other, of_other), (absent, of_absent));
        for message in [Message::Report, of_rule(None), of_rule(Some("contoso"))] {
            let of_other = preview::preview(config, scope, other, &message, now).await;
            let of_absent = preview::preview(config, scope, absent, &message, now).await;
            as_if_absent("preview", (other, of_other), (absent, of_absent));
        }
        let previewed = preview::preview(config, &Scope::All, other, &Message::Report, now).await.unwrap();
        let sent = preview::send(Some(store), config, caller, &previewed, now).await;
        assert!(matches!(sent, Err(Error::NotFound { .. })), "{other}: {sent:?}");
        assert!(scene.fixture.received(other).is_empty());
    }
    let of_other = preview::preview(config, scope, "contoso-team", &of_rule(Some("fabrikam")), now).await;
    let of_absent = preview::preview(config, scope, "contoso-team", &of_rule(Some(absent)), now).await;
    as_if_absent("preview of a tenant", ("fabrikam", of_other), (absent, of_absent));
    for id in [1, 2, 3, 4] {
        // Not even one's own silence goes by the number that the store counts.
        let of_other = silence::end(store, caller, SilenceId(id), now).await;
        let of_absent = silence::end(store, caller, SilenceId(4711), now).await;
        as_if_absent("end of a silence", (&id.to_string(), of_other), ("4711", of_absent));
    }
    let all = deliveries::list(store, &Scope::All, &deliveries::Filter::default(), &Page::ALL).await.unwrap().items;
    for of in &all {
        let of_other = delivery::resend(store, Some(config), caller, of.id, now).await;
        let of_absent = delivery::resend(store, Some(config), caller, DeliveryId(4711), now).await;
        as_if_absent("resend", (&of.id.to_string(), of_other), ("4711", of_absent));
    }
    assert_eq!(state(&scene).await, before, "nothing was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_within_the_scope_does_what_it_does_for_everybody() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let scope = &only(&["contoso"]);
    let caller = &Caller::limited_to(scope.clone());
    assert_eq!(alert::acknowledge(store, caller, &which("contoso"), by(now)).await.unwrap().tenant.as_str(), "contoso");
    assert!(alert::unacknowledge(store, caller, &which("contoso"), now).await.unwrap().was_acknowledged);
    assert!(!alert::unacknowledge(store, caller, &which("contoso"), now).await.unwrap().was_acknowledged);
    let pick = Pick { rule: Some("drop".to_owned()), score: Some(ScoreKind::DeviceSecureScore), ..Pick::default() };
    let dry = alert::accept_all(store, config, caller, &pick, true, now).await.unwrap();
    assert_eq!(dry.alerts.len(), 1, "those of others are not picked");
    assert_eq!(
        alert::accept_all(store, config, &Caller::local("ann"), &pick, true, now).await.unwrap().alerts.len(),
        3
    );
    alert::accept(store, config, caller, &which("contoso"), alert::Signature::default(), now).await.unwrap();
    let shown = silences::list(store, scope, false, &Page::ALL, now).await.unwrap().items[0].id;
    silence::end(store, caller, shown, now.plus(minutes(1))).await.unwrap();
    let again = silence::end(store, caller, shown, now.plus(minutes(2))).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let queued = drill::drill(store, config, caller, "contoso-team", now).await.unwrap();
    assert_eq!((queued.channel.as_str(), queued.is_parked), ("contoso-team", false));
    let unparked = channel::unpark(store, config, caller, "contoso-team", now).await;
    assert!(matches!(unparked, Err(Error::Conflict(_))), "{unparked:?}");
    for message in [Message::Report, of_rule(None), of_rule(Some("contoso"))] {
        let previewed = preview::preview(config, scope, "contoso-team", &message, now).await.unwrap();
        let shown = serde_json::to_string(&previewed.shown).unwrap();
        assert!(shown.contains("contoso") && OTHERS.iter().all(|other| !shown.contains(other)), "{shown}");
        preview::send(Some(store), config, caller, &previewed, now).await.unwrap();
    }
    assert_eq!(scene.fixture.received("contoso-team").len(), 3);
    let own = deliveries::list(store, scope, &deliveries::Filter::default(), &Page::ALL).await.unwrap().items;
    let resent = delivery::resend(store, Some(config), caller, own.last().unwrap().id, now).await;
    assert!(matches!(resent, Ok(()) | Err(Error::Conflict(_))), "{resent:?}");
    tenant::recheck(store, config, caller, "contoso", now).await.unwrap();
    let later = now.plus(minutes(1));
    assert_eq!(tenant::recheck_all(store, config, caller, later).await.unwrap(), 1, "those of others are not checked");
    let newest = EntryFilter { limit: Some(1), ..EntryFilter::default() };
    let entry = store.entries(&newest).await.unwrap().remove(0).body;
    assert_eq!(
        (entry.target.unwrap().as_str(), &entry.after.unwrap()["tenants"]),
        ("all tenants within limits", &serde_json::json!(1))
    );
    let mut requested = store.rechecks_requested().await.unwrap();
    requested.retain(|(_, at)| *at == later);
    assert_eq!(requested, [(tenant_id("contoso"), later)]);
    let (forgotten, erased) =
        tenant::forget(config, &Caller::limited_to(only(&["tailspin"])), "tailspin", false, now).await.unwrap();
    assert_eq!((forgotten, erased.remains.as_slice()), (tenant_id("tailspin"), &[][..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_reaches_beyond_the_scope_is_limited_to_it_or_refused() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let labels: Labels = [("tier".into(), "gold".into())].into();
    for (scope, tenants, limited) in [
        (Scope::All, &[][..], Some(&[][..])),
        (Scope::All, &["fabrikam"], Some(&["fabrikam"])),
        (only(&["contoso"]), &[], Some(&["contoso"])),
        (only(&["contoso"]), &["contoso", "fabrikam"], Some(&["contoso"])),
        (only(&["contoso"]), &["fabrikam"], None),
        (nobody(), &[], None),
    ] {
        let mut matchers =
            Matchers { tenants: tenants.iter().map(|id| tenant_id(id)).collect(), ..Matchers::default() };
        matchers.labels.0.clone_from(&labels);
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        let new = NewSilence { matchers, starts_at: now, ends_at: now.plus(minutes(60)), author, comment };
        let before = store.silences(None).await.unwrap().len();
        let added = silence::add(store, config, &Caller::limited_to(scope.clone()), new, now).await;
        let found = added.as_ref().ok().map(|silence| {
            assert_eq!(silence.matchers.labels.0, labels, "what it covers within the scope stays as it was");
            silence.matchers.tenants.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
        });
        let limited = limited.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, limited, "{tenants:?} by {scope:?}");
        assert_eq!(store.silences(None).await.unwrap().len(), before + usize::from(limited.is_some()));
    }
    let read = draft(&[]).read(config, &only(&["contoso"]), now).unwrap();
    assert_eq!(read.matchers.tenants, [tenant_id("contoso")].into(), "everything that the caller may silence");
    assert!(draft(&[]).read(config, &nobody(), now).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_is_notified_of_a_silence_of_everybody_and_of_a_long_one() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let caller = &Caller::local("ann");
    let newest = async || {
        let newest = store.recent(NotificationType::OperatorSilence, 1).await.unwrap().pop();
        newest.and_then(|newest| newest.data.facts.operator).map(|operator| operator.summary)
    };
    let new = |tenants: &[&str], length: u64| {
        let matchers = Matchers { tenants: tenants.iter().map(|id| tenant_id(id)).collect(), ..Matchers::default() };
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        NewSilence { matchers, starts_at: now, ends_at: now.plus(minutes(length)), author, comment }
    };
    let before = newest().await;
    silence::add(store, config, caller, new(&["contoso"], 7 * 24 * 60), now).await.unwrap();
    silence::add(store, config, caller, new(&["fabrikam"], 7 * 24 * 60), now).await.unwrap();
    assert_eq!(newest().await, before, "neither of all nor long");
    let next = NewSilence { starts_at: now.plus(minutes(7 * 24 * 60)), ..new(&["fabrikam"], 14 * 24 * 60) };
    silence::add(store, config, caller, next, now).await.unwrap();
    let summary = newest().await.unwrap();
    assert!(summary.starts_with("ann silenced alerts for 14 days (silence"), "it continues the one before: {summary}");
    for (tenants, length, said) in [
        (&["contoso"][..], 7 * 24 * 60 + 1, "ann silenced alerts for 7 days 1 minute (silence"),
        (&[], 660, "ann silenced every tenant for 11 hours (silence"),
        (&["contoso", "fabrikam"], 690, "ann silenced every tenant for 11 hours 30 minutes (silence"),
    ] {
        silence::add(store, config, caller, new(tenants, length), now).await.unwrap();
        let summary = newest().await.unwrap();
        assert!(summary.starts_with(said), "{summary}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_limited_can_t_keep_from_the_operator_unnoticed_that_a_tenant_is_not_read() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let (limited, all) = (only(&["contoso"]), Scope::All);
    let of_rules =
        |rules: &[&str]| Draft { rules: rules.iter().map(|rule| (*rule).to_owned()).collect(), ..draft(&["contoso"]) };
    let blind = of_rules(&["operator.blind"]);
    let refused = blind.read(config, &limited, now).unwrap_err();
    assert_eq!(refused.to_string().replace("operator.blind", "absent"), {
        let absent = of_rules(&["absent"]).read(config, &limited, now).unwrap_err();
        absent.to_string()
    });
    let seeing = limited.clone().with(|_| Extras { operator: true, ..Extras::default() });
    for scope in [&all, &seeing] {
        assert!(blind.read(config, scope, now).is_ok(), "whoever sees messages to the operator: {scope:?}");
    }
    let newest = async || {
        let newest = store.recent(NotificationType::OperatorSilence, 1).await.unwrap().pop();
        newest.and_then(|newest| newest.data.facts.operator)
    };
    let add = async |scope: &Scope, draft: &Draft| {
        let new = draft.read(config, scope, now).unwrap();
        silence::add(store, config, &Caller::limited_to(scope.clone()), new, now).await.unwrap();
    };
    let before = newest().await;
    add(&limited, &of_rules(&["drop"])).await;
    add(&all, &draft(&["contoso"])).await;
    assert_eq!(newest().await, before, "a rule of theirs, or by one of our own");
    // One of our own covers the same for ten hours.
    let long = Draft { length: Some("11h".to_owned()), ..draft(&["contoso"]) };
    for (scope, draft, said) in [
        (&limited, &long, "ann silenced alerts for 11 hours (silence 7: tenant contoso)."),
        (&seeing, &blind, "ann silenced alerts for 1 hour (silence 8: tenant contoso; rule operator.blind)."),
    ] {
        add(scope, draft).await;
        let facts = newest().await.unwrap();
        assert_eq!((facts.summary.as_str(), facts.class.as_str()), (said, "silence-limited"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_is_recorded_and_whoever_lacks_the_role_does_nothing() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let viewer = &Caller { role: Role::Viewer, ..Caller::local("vic") };
    let refused = alert::acknowledge(store, viewer, &which("contoso"), by(now)).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let analyst = &Caller { role: Role::Analyst, ..Caller::local("ann") };
    let refused = channel::unpark(store, config, analyst, "inhouse-desk", now).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let recorded = async || {
        let entries = store.entries(&EntryFilter::default()).await.unwrap();
        entries
            .into_iter()
            .map(|entry| format!("{} {}", entry.action, entry.body.target.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let before = recorded().await.len();
    alert::acknowledge(store, analyst, &which("contoso"), by(now)).await.unwrap();
    alert::unacknowledge(store, analyst, &which("contoso"), now).await.unwrap();
    alert::accept(
        store,
        config,
        analyst,
        &which("contoso"),
        alert::Signature { by: Some("ann"), comment: Some("ticket 4711") },
        now,
    )
    .await
    .unwrap();
    silence::end(store, analyst, SilenceId(1), now).await.unwrap();
    tenant::recheck(store, config, analyst, "contoso", now).await.unwrap();
    drill::drill(store, config, &Caller::local("root"), "inhouse-desk", now).await.unwrap();
    let all = recorded().await;
    assert_eq!(
        all[..all.len() - before],
        [
            "channel.drill channel inhouse-desk",
            "tenant.recheck tenant contoso",
            "silence.end silence 1",
            "alert.accept alert contoso drop device-secure-score",
            "alert.unacknowledge alert contoso drop device-secure-score",
            "alert.acknowledge alert contoso drop device-secure-score",
        ]
    );
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    let accepted = entries.into_iter().find(|entry| entry.action == "alert.accept").unwrap();
    assert_eq!(accepted.body.after.unwrap()["comment"], "ticket 4711");
    let verdict = scorewatch::query::audit::verify(store, &Scope::All, None).await.unwrap();
    assert_eq!((verdict.broken, verdict.entries), (None, all.len() as u64));
}
