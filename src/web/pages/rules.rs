//! `GET /rules`: what each rule says, where it applies, and what it makes of the fleet now.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    reasons, words,
};
use crate::{
    config::Config,
    domain::Scope,
    query::{self, find, rules::RuleUse},
    rule::{Guide, Rule},
    store::OpenAlert,
};

/// `GET /rules`.
pub(super) async fn page(visit: Visit) -> Answer {
    let shown = async {
        let config = visit.app.config();
        let open = visit.store().open_alerts().await?;
        let rules = find::rules(&config, visit.scope());
        let rules: Vec<_> = rules.map(|rule| rule_row(&config, visit.scope(), rule, &open)).collect();
        Ok::<_, query::Error>(
            json!({ "has_rules": !rules.is_empty(), "rules": rules, "is_all": visit.scope().is_all() }),
        )
    };
    match shown.await {
        Ok(page) => visit.show(Place::Rules, "Rules", "rules", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

pub(super) fn rule_row(config: &Config, scope: &Scope, rule: &Rule, open: &[OpenAlert]) -> Value {
    let RuleUse { tenants, firing, pending } = RuleUse::of(config, scope, rule, open);
    let guide = if scope.sees_about() { rule.guide.clone() } else { Guide::default() };
    let runbook = guide.runbook.as_deref();
    let selector = rule.tenants.0.iter().filter(|_| scope.sees_labels());
    json!({
        "name": rule.name,
        "score": rule.score.map_or("All scores", words::score_name),
        "severity": words::severity(rule.severity),
        "path": format!("/rules/{}", rule.name),
        "definition": reasons::definition(rule),
        "about": guide.about,
        "runbook": runbook,
        "is_link": runbook.is_some_and(|runbook| runbook.starts_with("https://")),
        "selector": selector.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "tenants": words::counted(tenants, "tenant"),
        // Which channels it names is not shown to a limited scope: some are others'.
        "notify": if scope.is_all() { json!(rule.notify) } else { json!([]) },
        "firing": firing,
        "pending": pending,
    })
}
