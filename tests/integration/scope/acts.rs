//! Actions refuse what lies beyond the scope, and change nothing of it.

use scorewatch::{
    action::{
        alert::{self, Pick},
        channel, delivery, drill, month,
        preview::{self, Message},
        silence::{self, Draft},
        tenant,
    },
    domain::{Caller, Labels, Scope, ScoreKind, TenantId},
    notify::silence::{Acknowledgement, Matchers, NewSilence},
    query::{
        Error, Page,
        deliveries::{self, DeliveryId},
        report::Question,
        silences::SilenceId,
    },
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
    let before = state(&scene).await;
    for other in ["fabrikam", "tailspin"] {
        let of_other = alert::acknowledge(store, scope, &which(other), by(now)).await;
        let of_absent = alert::acknowledge(store, scope, &which(absent), by(now)).await;
        as_if_absent("acknowledge", (other, of_other), (absent, of_absent));
        let of_other = alert::unacknowledge(store, scope, &which(other), now).await;
        let of_absent = alert::unacknowledge(store, scope, &which(absent), now).await;
        as_if_absent("unacknowledge", (other, of_other), (absent, of_absent));
        let of_other = alert::accept(store, config, scope, &which(other), None, now).await;
        let of_absent = alert::accept(store, config, scope, &which(absent), None, now).await;
        as_if_absent("accept", (other, of_other), (absent, of_absent));
        let pick = |id: &str| Pick { tenants: vec![id.to_owned()], ..Pick::default() };
        let of_other = alert::accept_all(store, config, scope, &pick(other), false, now).await;
        let of_absent = alert::accept_all(store, config, scope, &pick(absent), false, now).await;
        as_if_absent("accept all", (other, of_other), (absent, of_absent));
        let month = |id: &str| Question { tenant: id.to_owned(), month: None, zone: None, ask_microsoft: false };
        let of_other = month::send(store, config, scope, &month(other), None, now).await;
        let of_absent = month::send(store, config, scope, &month(absent), None, now).await;
        as_if_absent("send a month", (other, of_other), (absent, of_absent));
        let of_other = tenant::recheck(store, config, scope, other, now).await;
        let of_absent = tenant::recheck(store, config, scope, absent, now).await;
        as_if_absent("recheck", (other, of_other), (absent, of_absent));
        let of_other = tenant::forget(config, caller, other, false, now).await;
        let of_absent = tenant::forget(config, caller, absent, false, now).await;
        as_if_absent("forget", (other, of_other), (absent, of_absent));
        let [of_other, of_absent] = [other, absent].map(|id| draft(&[id]).read(config, scope, now));
        as_if_absent("silence", (other, of_other), (absent, of_absent));
    }
    for other in ["fabrikam-team", "soc"] {
        let of_other = channel::unpark(store, config, scope, other, now).await;
        let of_absent = channel::unpark(store, config, scope, absent, now).await;
        as_if_absent("unpark", (other, of_other), (absent, of_absent));
        let of_other = drill::drill(store, config, scope, other, now).await;
        let of_absent = drill::drill(store, config, scope, absent, now).await;
        as_if_absent("drill", (other, of_other), (absent, of_absent));
        let month = Question { tenant: "contoso".to_owned(), month: None, zone: None, ask_microsoft: false };
        let of_other = month::send(store, config, scope, &month, Some(other), now).await;
        let of_absent = month::send(store, config, scope, &month, Some(absent), now).await;
        as_if_absent("send a month to", (other, of_other), (absent, of_absent));
        for message in [Message::Report, of_rule(None), of_rule(Some("contoso"))] {
            let of_other = preview::preview(config, scope, other, &message, now).await;
            let of_absent = preview::preview(config, scope, absent, &message, now).await;
            as_if_absent("preview", (other, of_other), (absent, of_absent));
        }
        let previewed = preview::preview(config, &Scope::All, other, &Message::Report, now).await.unwrap();
        let sent = preview::send(config, scope, &previewed, now).await;
        assert!(matches!(sent, Err(Error::NotFound { .. })), "{other}: {sent:?}");
        assert!(scene.fixture.received(other).is_empty());
    }
    let of_other = preview::preview(config, scope, "contoso-team", &of_rule(Some("fabrikam")), now).await;
    let of_absent = preview::preview(config, scope, "contoso-team", &of_rule(Some(absent)), now).await;
    as_if_absent("preview of a tenant", ("fabrikam", of_other), (absent, of_absent));
    for id in [2, 3, 4] {
        let of_other = silence::end(store, scope, SilenceId(id), now).await;
        let of_absent = silence::end(store, scope, SilenceId(4711), now).await;
        as_if_absent("end of a silence", (&id.to_string(), of_other), ("4711", of_absent));
    }
    let all = deliveries::list(store, &Scope::All, &deliveries::Filter::default(), &Page::ALL).await.unwrap().items;
    for of in all.iter().filter(|delivery| delivery.tenant.as_ref().map(TenantId::as_str) != Some("contoso")) {
        let of_other = delivery::resend(store, scope, of.id, now).await;
        let of_absent = delivery::resend(store, scope, DeliveryId(4711), now).await;
        as_if_absent("resend", (&of.id.to_string(), of_other), ("4711", of_absent));
    }
    assert_eq!(state(&scene).await, before, "nothing was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_within_the_scope_does_what_it_does_for_everybody() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let scope = &only(&["contoso"]);
    assert_eq!(alert::acknowledge(store, scope, &which("contoso"), by(now)).await.unwrap().tenant.as_str(), "contoso");
    assert!(alert::unacknowledge(store, scope, &which("contoso"), now).await.unwrap().was_acknowledged);
    assert!(!alert::unacknowledge(store, scope, &which("contoso"), now).await.unwrap().was_acknowledged);
    let pick = Pick { rule: Some("drop".to_owned()), score: Some(ScoreKind::DeviceSecureScore), ..Pick::default() };
    let dry = alert::accept_all(store, config, scope, &pick, true, now).await.unwrap();
    assert_eq!(dry.alerts.len(), 1, "those of others are not picked");
    assert_eq!(alert::accept_all(store, config, &Scope::All, &pick, true, now).await.unwrap().alerts.len(), 3);
    alert::accept(store, config, scope, &which("contoso"), None, now).await.unwrap();
    silence::end(store, scope, SilenceId(1), now.plus(minutes(1))).await.unwrap();
    let again = silence::end(store, scope, SilenceId(1), now.plus(minutes(2))).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let queued = drill::drill(store, config, scope, "contoso-team", now).await.unwrap();
    assert_eq!((queued.channel.as_str(), queued.is_parked), ("contoso-team", false));
    let unparked = channel::unpark(store, config, scope, "contoso-team", now).await;
    assert!(matches!(unparked, Err(Error::Conflict(_))), "{unparked:?}");
    for message in [Message::Report, of_rule(None), of_rule(Some("contoso"))] {
        let previewed = preview::preview(config, scope, "contoso-team", &message, now).await.unwrap();
        let shown = serde_json::to_string(&previewed.shown).unwrap();
        assert!(shown.contains("contoso") && OTHERS.iter().all(|other| !shown.contains(other)), "{shown}");
        preview::send(config, scope, &previewed, now).await.unwrap();
    }
    assert_eq!(scene.fixture.received("contoso-team").len(), 3);
    let own = deliveries::list(store, scope, &deliveries::Filter::default(), &Page::ALL).await.unwrap().items;
    let resent = delivery::resend(store, scope, own.last().unwrap().id, now).await;
    assert!(matches!(resent, Ok(()) | Err(Error::Conflict(_))), "{resent:?}");
    tenant::recheck(store, config, scope, "contoso", now).await.unwrap();
    assert!(store.rechecks_requested().await.unwrap().iter().any(|(tenant, _)| tenant.as_str() == "contoso"));
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
        let added = silence::add(store, &scope, new).await;
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
