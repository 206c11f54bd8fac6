//! `GET /`: who got worse, who is blind, what was sent, and whether messages arrive; then every tenant.

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chart,
    chrome::Place,
    params::Params,
    words::{self, Clockface},
};
use crate::{
    domain::{ScoreKind, TenantId, Timestamp},
    query::{
        self, Page,
        fleet::{self, Filter, Fleet, FleetLine, FleetScore, FleetTotals, Freshness, Only, Sort},
        messages::{self, MessageTotals},
    },
};

/// How many tenants a page has at most.
const PAGE: u32 = 100;
/// How many names the summary has at most.
const NAMES: u32 = 3;

/// `GET /`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let filter = filter(&params);
        let after = params.get("after").and_then(|id| TenantId::parse(id).ok());
        let (config, now) = (visit.app.config(), visit.app.now());
        let overall = fleet::overall(visit.store(), &config, &visit.app.fleet, visit.scope(), now).await?;
        let page = Page { after, ..Page::first(PAGE) };
        let fleet = overall.compared(visit.store(), &filter, &page).await?;
        let messages = Messages {
            totals: messages::recent(visit.store(), &config, visit.scope(), now).await?,
            shift_name: words::shift_name(visit.scope()),
            is_all: visit.scope().is_all(),
        };
        let worse = Filter { only: Some(Only::Worse), sort: Sort::Attention, ..Filter::default() };
        let worse = overall.list(&worse, &Page::first(NAMES)).items;
        let blind = Filter { only: Some(Only::Blind), ..Filter::default() };
        let blind = overall.list(&blind, &Page::first(NAMES)).items;
        Ok::<_, query::Error>(view(&visit.face(), &params, &filter, &fleet, &worse, &blind, &messages))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Fleet, "Fleet", "fleet", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

fn filter(params: &Params) -> Filter {
    let label = |text: &str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    Filter {
        search: params.get("q").map(str::to_owned),
        labels: params.all("label").filter_map(label).collect(),
        only: params.get("only").and_then(Only::from_name),
        score: params.get("score").and_then(ScoreKind::from_name),
        sort: params.get("sort").and_then(Sort::from_name).unwrap_or_default(),
        is_reversed: params.get("order") == Some("reversed"),
    }
}

/// Whether messages arrive, for whoever looks.
struct Messages {
    totals: MessageTotals,
    /// What a fleet shift is called for whoever looks.
    shift_name: &'static str,
    /// Whether these are all channels that there are.
    is_all: bool,
}

fn view(
    face: &Clockface,
    params: &Params,
    filter: &Filter,
    fleet: &Fleet,
    worse: &[FleetLine],
    blind: &[FleetLine],
    messages: &Messages,
) -> Value {
    let next = fleet.next.as_ref().map(|after| {
        let address = params.with("/", "page", None);
        format!("{address}{}after={after}", if address.contains('?') { '&' } else { '?' })
    });
    let kinds: Vec<ScoreKind> = fleet.totals.medians.iter().map(|median| median.kind).collect();
    let is_filtered = filter.search.is_some() || !filter.labels.is_empty() || filter.only.is_some();
    json!({
        "tiles": tiles(face, &fleet.totals, worse, blind, messages),
        "scores": kinds.iter().map(|kind| json!({
            "name": words::score_name(*kind),
            "path": params.with("/", "score", Some(kind.as_str())),
            "is_here": fleet.score == Some(*kind),
            "median": fleet.totals.medians.iter().find(|median| median.kind == *kind)
                .map(|median| words::value(*kind, median.value)),
        })).collect::<Vec<_>>(),
        "score": fleet.score.map(ScoreKind::as_str),
        "score_name": fleet.score.map(words::score_name),
        "search": params.text("q"),
        "labels": fleet.labels.iter().map(|(key, values)| json!({
            "key": key,
            "values": values.iter().map(|value| {
                let is_here = filter.labels.iter().any(|(has, is)| **key == **has && **value == **is);
                json!({ "value": value, "is_here": is_here })
            }).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        // One tenant alone is its own median.
        "has_median": fleet.totals.tenants > 1,
        "is_all": messages.is_all,
        "compares": fleet.score.is_some_and(ScoreKind::has_witness),
        "only": only(params, filter, &fleet.totals),
        "sort": filter.sort.as_str(),
        "columns": columns(params, filter),
        "others": kinds.iter().filter(|kind| fleet.score != Some(**kind)).map(|kind| words::score_name(*kind)).collect::<Vec<_>>(),
        "rows": fleet.items.iter().map(|line| row(face, line, fleet.score, &kinds)).collect::<Vec<_>>(),
        "count": words::counted(fleet.matching, "tenant"),
        "is_filtered": is_filtered,
        "all": "/",
        "has_tenants": fleet.totals.tenants > 0,
        "next": next,
        "is_later_page": params.get("after").is_some(),
        "first": params.with("/", "after", None),
    })
}

fn only(params: &Params, filter: &Filter, totals: &FleetTotals) -> Vec<Value> {
    let blind = totals.failing + totals.late + totals.never_checked;
    let items = [
        (None, "All", totals.tenants),
        (Some(Only::Worse), "Got worse", totals.worse),
        (Some(Only::Shifted), "Shifted", totals.worse_by_shift),
        (Some(Only::Firing), "Alerting", totals.firing),
        (Some(Only::Blind), "Not read", blind),
    ];
    items
        .into_iter()
        .filter(|(only, _, count)| *only != Some(Only::Shifted) || *count > 0 || filter.only == *only)
        .map(|(only, name, count)| {
            let path = params.with("/", "only", only.map(Only::as_str));
            json!({ "name": name, "count": count, "path": path, "is_here": filter.only == only })
        })
        .collect()
}

fn columns(params: &Params, filter: &Filter) -> Vec<Value> {
    let columns = [
        (Sort::Name, "Tenant", ""),
        (Sort::Value, "Score", "number"),
        (Sort::Attention, "", ""),
        (Sort::Day, "24 h", "number"),
        (Sort::Week, "7 d", "number wide"),
        (Sort::Month, "30 d", "number wide month"),
    ];
    columns
        .map(|(sort, name, class)| {
            let is_here = filter.sort == sort;
            let path = params.with("/", "sort", Some(sort.as_str()));
            let path = match (is_here, filter.is_reversed) {
                (true, false) => format!("{path}&order=reversed"),
                _ => path.replace("&order=reversed", "").replace("order=reversed&", ""),
            };
            let is_ascending = (sort == Sort::Name) != filter.is_reversed;
            json!({
                "name": name, "class": class, "path": path, "is_here": is_here,
                "aria_sort": if is_ascending { "ascending" } else { "descending" },
                "arrow": if !is_here { "" } else if is_ascending { "↑" } else { "↓" },
            })
        })
        .into()
}

fn tiles(
    face: &Clockface,
    totals: &FleetTotals,
    worse: &[FleetLine],
    blind: &[FleetLine],
    messages: &Messages,
) -> Vec<Value> {
    let tile = |title: &str, path: &str, big: String, class: &str, lines: Vec<String>| json!({ "title": title, "path": path, "big": big, "class": class, "lines": lines });
    let unread = totals.failing + totals.late + totals.never_checked;
    let alerts = &totals.alerts;
    let firing = firing(alerts);
    let sent = sent(messages);
    let mut fell: Vec<String> = worse.iter().map(lost).collect();
    let by_shift = totals.worse_by_shift;
    fell.extend((worse.is_empty() && by_shift == 0).then(|| "no score fell by 1 % or more".to_owned()));
    fell.extend((by_shift > 0).then(|| format!("{by_shift} by a {}", messages.shift_name)));
    let is_trouble = !messages.totals.trouble.is_empty() || messages.totals.dead > 0;
    let alert_class = if alerts.critical > 0 {
        "critical"
    } else if alerts.firing() > 0 {
        "warning"
    } else {
        "ok"
    };
    vec![
        tile(
            "Got worse in 24 h",
            if totals.worse == 0 && by_shift > 0 { "/?only=shifted&sort=day" } else { "/?only=worse&sort=day" },
            totals.worse.to_string(),
            // Everybody may have fallen by a mistake of ours.
            if totals.worse + by_shift > 0 { "warning" } else { "ok" },
            fell,
        ),
        tile(
            "Can't be read",
            "/?only=blind",
            unread.to_string(),
            if unread > 0 { "critical" } else { "ok" },
            if blind.is_empty() {
                vec![if totals.tenants == 1 {
                    "it is read".to_owned()
                } else {
                    format!("all {} are read", totals.tenants)
                }]
            } else {
                blind.iter().map(|line| format!("{}: {}", line.name, freshness(face, line))).collect()
            },
        ),
        tile(
            "Alerts firing",
            "/alerts",
            alerts.firing().to_string(),
            alert_class,
            if firing.is_empty() { vec!["nothing fires".to_owned()] } else { firing },
        ),
        tile(
            "Messages sent in 24 h",
            "/deliveries",
            format!("{}{}", messages.totals.delivered, if messages.totals.is_capped { "+" } else { "" }),
            if is_trouble { "warning" } else { "ok" },
            sent,
        ),
    ]
}

/// Whether messages arrive, in a few lines.
fn sent(messages: &Messages) -> Vec<String> {
    let mut sent: Vec<String> = messages
        .totals
        .trouble
        .iter()
        .map(|channel| {
            format!("{}: {}", channel.name, if channel.state == "ok" { "not verified" } else { channel.state })
        })
        .collect();
    sent.extend((messages.totals.dead > 0).then(|| format!("{} undeliverable", messages.totals.dead)));
    sent.extend((messages.totals.waiting > 0).then(|| format!("{} waiting", messages.totals.waiting)));
    if sent.is_empty() {
        sent.push(match messages.totals.channels {
            0 if messages.is_all => "no channel is configured".to_owned(),
            0 => "through channels that others share".to_owned(),
            1 => "the one channel works".to_owned(),
            count => format!("all {count} channels work"),
        });
    }
    sent
}

/// How many alerts there are of each kind.
fn firing(alerts: &fleet::AlertCounts) -> Vec<String> {
    let mut firing = Vec::new();
    for (count, name) in [(alerts.critical, "critical"), (alerts.warning, "warning"), (alerts.info, "info")] {
        firing.extend((count > 0).then(|| format!("{count} {name}")));
    }
    firing.extend((alerts.acknowledged > 0).then(|| format!("{} acknowledged", alerts.acknowledged)));
    firing.extend((alerts.pending > 0).then(|| format!("{} pending", alerts.pending)));
    firing
}

/// The score that lost the greatest share in a day.
fn lost(line: &FleetLine) -> String {
    let lost = |score: &FleetScore| score.own_day().map(|day| score.loss(day));
    let share = |score: &&FleetScore| lost(score).unwrap_or_default() / score.value.abs().max(1.0);
    let worst = line.scores.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let Some((worst, day)) = worst.and_then(|worst| Some((worst, worst.own_day()?))) else {
        return line.name.to_string();
    };
    format!("{} {} {}", line.name, words::signed(day), words::short_name(worst.kind))
}

/// How current what is known of a tenant is, in a few words.
pub(super) fn freshness(face: &Clockface, line: &FleetLine) -> String {
    let since = |at: Timestamp| words::length(face.now.since(at));
    match (line.freshness, &line.failing, line.checked_at) {
        (Freshness::Failing, Some(failing), _) => {
            format!("{}, for {}", words::failure(&failing.class), since(failing.since))
        }
        (Freshness::Late, _, Some(at)) => format!("late, last checked {} ago", since(at)),
        (Freshness::NeverChecked, ..) => "not checked yet".to_owned(),
        (_, _, Some(at)) => format!("{} ago", since(at)),
        _ => "unknown".to_owned(),
    }
}

fn row(face: &Clockface, line: &FleetLine, shown: Option<ScoreKind>, kinds: &[ScoreKind]) -> Value {
    let score = shown.and_then(|kind| line.score(kind)).map(|score| {
        let day = words::change(score.kind, score.day);
        let is_lost = score.day.is_some_and(|day| score.loss(day) >= score.value.abs() * 0.01);
        json!({
            "value": words::value(score.kind, score.value),
            "spark_svg": chart::spark(&score.points, if is_lost { "worse" } else { "same" }),
            "day": day,
            "week": words::change(score.kind, score.week),
            "month": words::change(score.kind, score.month),
            "median": score.from_median.map(words::signed),
            "similar": score.averages.and_then(|averages| averages.nearest()).map(|(average, of)| json!({
                "distance": words::signed(score.value - average), "average": words::value(score.kind, average), "of": of,
            })),
        })
    });
    let other = |kind: &ScoreKind| {
        let score = line.score(*kind);
        json!({
            "value": score.map(|score| words::value(*kind, score.value)),
            "day": score.map_or(Value::Null, |score| words::change(*kind, score.day)),
        })
    };
    let alerts = &line.alerts;
    let counts = [
        (alerts.critical, "critical"),
        (alerts.warning, "warning"),
        (alerts.info, "info"),
        (alerts.pending, "pending"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let is_blind = line.freshness != Freshness::Fresh;
    json!({
        "id": line.id,
        "name": line.name,
        "labels": line.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "score": score,
        "others": kinds.iter().filter(|kind| shown != Some(**kind)).map(other).collect::<Vec<_>>(),
        "alerts": counts.map(|(count, class)| json!({ "count": count, "class": class })).collect::<Vec<_>>(),
        "is_acknowledged": alerts.acknowledged > 0 && alerts.acknowledged == alerts.firing(),
        "class": alerts.worst().map_or(if is_blind { "blind" } else { "calm" }, crate::domain::Severity::as_str),
        "is_blind": is_blind,
        "freshness": freshness(face, line),
        "checked": face.optional(line.checked_at),
    })
}
