//! `GET /tenants/{id}`: its scores drawn, what regressed, what is open, what was sent, and who can see it.

use std::time::Duration;

use axum::extract::{Path, Query};
use serde_json::{Value, json};

use super::{
    alert_table,
    answer::{Answer, Visit},
    chart,
    chrome::Place,
    deliveries::delivery_rows,
    params::Params,
    words::{self, Clockface},
    work::action,
};
use crate::{
    domain::{Averages, Role, Scope, ScoreKind},
    query::{
        self, Page, alerts, deliveries, fleet,
        samples::{self, SeriesWindow},
        tenants::{self, TenantDetail},
        work,
    },
    template::summary,
};

/// The stretches of time that a drawing can show.
const SPANS: [(&str, &str, u64); 5] =
    [("1h", "1 h", 1), ("24h", "24 h", 24), ("7d", "7 d", 7 * 24), ("30d", "30 d", 30 * 24), ("90d", "90 d", 90 * 24)];
const SPAN: &str = "7d";
/// The most samples of a drawing: about one for two pixels.
pub(super) const POINTS: usize = 400;
const DELIVERIES: u32 = 10;
const ACTIONS: u32 = 5;

/// `GET /tenants/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        let detail = tenants::show(visit.store(), &config, visit.scope(), &id).await?;
        let span = SPANS.into_iter().find(|(name, ..)| params.get("span") == Some(name));
        let (span, _, hours) = span.or(SPANS.into_iter().find(|(name, ..)| *name == SPAN)).unwrap_or(SPANS[0]);
        let windows = drawn(&visit, &id, Duration::from_hours(hours)).await?;
        let filter = alerts::Filter { tenant: Some(id.clone()), resolved: true, ..alerts::Filter::default() };
        let rows = alerts::list(visit.store(), visit.scope(), &filter, &Page::first(50)).await?.items;
        let lines = alerts::lines(visit.store(), &config, visit.scope(), rows).await?;
        let sent = deliveries::Filter { tenant: Some(id.clone()), ..deliveries::Filter::default() };
        let sent = deliveries::list(visit.store(), visit.scope(), &sent, &Page::first(DELIVERIES)).await?.items;
        let sent = deliveries::lines(visit.store(), visit.scope(), sent).await?;
        let only_this = Scope::only([detail.tenant.id.clone()].into());
        let actions = work::work(visit.store(), &config, &only_this, ACTIONS).await?.items;
        let face = visit.face();
        let of = query::find::tenant(&config, visit.scope(), &id)?;
        let portal = of.score_page(of.scores.first().copied().unwrap_or(ScoreKind::SecureScore));
        let mut page = view(&face, visit.scope(), &detail, &portal, &windows, span);
        page["regressed"] = json!(regressed(&lines, &face));
        page["alerts"] = alert_table::rows(&visit, &lines);
        page["deliveries"] = delivery_rows(&visit, &sent).await?;
        page["actions"] = actions.iter().map(action).collect();
        page["compared"] = compared(&visit, &detail).await?;
        page["access"] = access(&visit, &detail).await?;
        page["may_recheck"] = json!(visit.caller.may(Role::Analyst));
        page["is_all"] = json!(visit.scope().is_all());
        page["done"] = json!(params.get("done") == Some("recheck"));
        page["sees"] = json!(query::channels::who_sees(&config, visit.scope(), Some(&detail.tenant.id))?
            .iter()
            .map(|seen| {
                let is_used = !seen.sight.shown().is_empty();
                let is_listed = query::find::channel(&config, visit.scope(), seen.channel.as_str()).is_ok();
                json!({ "channel": seen.channel, "is_listed": is_listed, "is_used": is_used, "rules": seen.sight.rules.keys().collect::<Vec<_>>() })
            })
            .collect::<Vec<_>>());
        Ok::<_, query::Error>((detail.tenant.name.clone(), page))
    };
    match shown.await {
        Ok((name, page)) => visit.show(Place::Fleet, &name, "tenant", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// The tenant's series over the stretch of time that ends now.
pub(super) async fn drawn(visit: &Visit, id: &str, span: Duration) -> Result<Vec<SeriesWindow>, query::Error> {
    let now = visit.app.now();
    let question = samples::Question {
        tenant: id.to_owned(),
        score: None,
        subject: None,
        from: now.minus(span),
        until: now,
        points: POINTS,
    };
    samples::samples(visit.store(), &visit.app.config(), visit.scope(), &question, now).await
}

fn view(
    face: &Clockface,
    scope: &Scope,
    detail: &TenantDetail,
    portal: &str,
    windows: &[SeriesWindow],
    span: &str,
) -> Value {
    let tenant = &detail.tenant;
    let id = tenant.id.as_str();
    let spans = SPANS.map(|(name, text, _)| {
        json!({ "text": text, "path": format!("/tenants/{id}?span={name}"), "is_here": name == span })
    });
    let (whole, parts): (Vec<_>, Vec<_>) = windows.iter().partition(|window| window.subject.is_none());
    json!({
        "id": id,
        "name": tenant.name,
        "entra": tenant.entra_tenant_id,
        "portal": portal,
        "labels": tenant.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "checked": face.optional(tenant.checked_at),
        "next": face.optional(tenant.next_check_at),
        "is_asked_less_often": tenant.asked_less_often,
        "failing": tenant.failing.as_ref().map(|failing| json!({
            "class": words::failure(&failing.class),
            "hint": failing.hint,
            "since": face.moment(failing.since),
            "length": words::length(face.now.since(failing.since)),
        })),
        "consent": tenant.consent_link,
        "credentials": tenant.credentials.iter().map(|credential| json!({
            "kind": credential.kind,
            "expires": face.optional(credential.expires_at),
        })).collect::<Vec<_>>(),
        "client": tenant.client_id,
        "spans": spans,
        "charts": whole.iter().map(|window| chart::view(window, face, scope)).collect::<Vec<_>>(),
        "parts": parts.iter().map(|window| chart::view(window, face, scope)).collect::<Vec<_>>(),
        "has_parts": !parts.is_empty(),
        "has_data": windows.iter().any(|window| !window.points.is_empty()),
    })
}

/// The newest value of each score beside those of others: the median of the fleet as the reader sees it, and what Microsoft says.
async fn compared(visit: &Visit, detail: &TenantDetail) -> Result<Value, query::Error> {
    let (config, id) = (visit.app.config(), &detail.tenant.id);
    let filter = fleet::Filter { search: Some(id.to_string()), ..fleet::Filter::default() };
    let (memory, page, now) = (&visit.app.fleet, Page::ALL, visit.app.now());
    let found = fleet::fleet(visit.store(), &config, memory, visit.scope(), &filter, &page, now).await?;
    let scores = found.items.iter().filter(|line| line.id == *id).flat_map(|line| &line.scores);
    let row = |score: &fleet::FleetScore| {
        let median = found.totals.medians.iter().find(|median| median.kind == score.kind && median.tenants > 1);
        let averages = score.averages.unwrap_or(Averages {
            day: score.observed_at,
            similar_size: None,
            same_industry: None,
            all_tenants: None,
        });
        let others = [
            (median.map(|median| median.value), "the median of your tenants"),
            (averages.similar_size, "Microsoft’s average of tenants of similar size"),
            (averages.same_industry, "Microsoft’s average of the same industry"),
            (averages.all_tenants, "Microsoft’s average of all tenants"),
        ];
        let others = others.into_iter().filter_map(|(value, of)| {
            let value = value?;
            Some(json!({
                "of": of, "value": words::value(score.kind, value), "distance": words::signed(score.value - value),
            }))
        });
        let others: Vec<_> = others.collect();
        let value = words::value(score.kind, score.value);
        (!others.is_empty()).then(|| json!({ "name": words::score_name(score.kind), "value": value, "others": others }))
    };
    Ok(json!(scores.filter_map(row).collect::<Vec<_>>()))
}

/// Who can see the tenant here; for administrators who see everything.
async fn access(visit: &Visit, detail: &TenantDetail) -> Result<Value, query::Error> {
    if !visit.caller.may(Role::Admin) {
        return Ok(Value::Null);
    }
    let (config, now, id) = (visit.app.config(), visit.app.now(), detail.tenant.id.as_str());
    let found = query::access::of_tenant(visit.store(), &config, visit.scope(), id, now).await?;
    let Some(query::access::Access { accounts, tokens, grants }) = found else { return Ok(Value::Null) };
    let kinds = [("Accounts", accounts), ("Tokens", tokens), ("By OpenID Connect", grants)];
    let kinds = kinds.into_iter().filter(|(_, holders)| !holders.is_empty());
    let kinds: Vec<_> = kinds.map(|(name, holders)| json!({ "name": name, "holders": holders })).collect();
    Ok(json!({ "needs_sign_in": config.needs_sign_in(), "kinds": kinds }))
}

/// What regressed, as the newest message of each alert that fires said.
fn regressed(lines: &[alerts::AlertLine], face: &Clockface) -> Vec<Value> {
    let firing = lines.iter().filter(|line| line.row.alert.is_firing());
    firing
        .filter_map(|line| {
            let said = summary(line.row.last_notification.as_ref()?, &face.locale());
            let is_said = said.note.is_some() || !said.causes.is_empty();
            is_said.then(|| {
                json!({
                    "headline": said.headline, "note": said.note, "causes": said.causes,
                    "path": format!("/alerts/{}", line.id),
                })
            })
        })
        .collect()
}
