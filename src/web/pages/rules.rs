//! `GET /rules`: what each rule says, where it applies, and what it makes of the fleet now.

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chart,
    chrome::Place,
    params::Params,
    reasons, words,
};
use crate::{
    config::Config,
    domain::Scope,
    query::{
        self,
        backtest::{self, Question, Source},
    },
    rule::Rule,
    store::OpenAlert,
};

/// How far back a backtest reaches.
const SINCE: &str = "30d";
/// The noisiest tenants that are named.
const TENANTS_MAX: usize = 5;

/// `GET /rules`; with `backtest`, also what that rule would have sent in the last 30 days.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        let open = visit.store().open_alerts().await?;
        let tested = match params.get("backtest") {
            Some(name) => Some(backtested(&visit, name).await?),
            None => None,
        };
        let rules = config.rules.iter().map(|rule| {
            let tested = tested.as_ref().filter(|_| params.get("backtest") == Some(rule.name.as_str()));
            rule_row(&config, visit.scope(), rule, &open, tested)
        });
        Ok::<_, query::Error>(json!({ "rules": rules.collect::<Vec<_>>(), "has_rules": !config.rules.is_empty() }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Rules, "Rules", "rules", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

fn rule_row(config: &Config, scope: &Scope, rule: &Rule, open: &[OpenAlert], tested: Option<&Value>) -> Value {
    let judged = config.tenants.values().filter(|tenant| {
        scope.includes(&tenant.id) && tenant.scores.iter().any(|score| rule.applies_to(&tenant.labels, *score))
    });
    let of_rule = || open.iter().filter(|alert| alert.rule == rule.name && scope.includes(&alert.tenant));
    let runbook = rule.guide.runbook.as_deref();
    json!({
        "name": rule.name,
        "score": rule.score.map_or("All scores", words::score_name),
        "severity": words::severity(Some(rule.severity)),
        "definition": reasons::definition(rule),
        "about": rule.guide.about,
        "runbook": runbook,
        "is_link": runbook.is_some_and(|runbook| runbook.starts_with("https://")),
        "selector": rule.tenants.0.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "tenants": words::counted(judged.count(), "tenant"),
        // Which channels it names is not shown to a limited scope: some are others'.
        "notify": if scope.is_all() { json!(rule.notify) } else { json!([]) },
        "firing": of_rule().filter(|alert| alert.is_firing).count(),
        "pending": of_rule().filter(|alert| !alert.is_firing).count(),
        "tested": tested,
    })
}

/// What a rule would have sent.
async fn backtested(visit: &Visit, name: &str) -> Result<Value, query::Error> {
    let config = visit.app.config();
    query::find::rule(&config, visit.scope(), name)?;
    let question = Question {
        rules: vec![name.to_owned()],
        tenants: Vec::new(),
        since: SINCE.to_owned(),
        until: None,
        candidates: None,
    };
    let prepared =
        backtest::prepare(Source::Store(visit.store()), &config, visit.scope(), &question, visit.app.now(), || {})
            .await?;
    let report = prepared.report(|| {})?;
    let line = report.rules.iter().find(|line| line.of == name);
    let tenants = report.tenants.iter().take(TENANTS_MAX);
    Ok(json!({
        "readings": words::counted(report.readings, "reading"),
        "notifications": words::counted(line.map_or(0, |line| line.all), "notification"),
        "firing": line.map_or(0, |line| line.firing),
        "worsened": line.map_or(0, |line| line.worsened),
        "resolved": line.map_or(0, |line| line.resolved),
        "reminder": line.map_or(0, |line| line.reminder),
        "bars_svg": chart::bars(&report.over_time),
        "tenants": tenants.map(|line| json!({ "id": line.of, "count": line.all })).collect::<Vec<_>>(),
        "channels": report.channels.iter().map(|line| json!({
            "name": line.channel, "messages": words::counted(line.messages, "message"),
        })).collect::<Vec<_>>(),
    }))
}
