//! Every rule of a tenant in a line each, for whoever does not know yet which one to ask about.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    cli::{Failure, alerts::line_of, output},
    clock::Clock,
    config::{Config, Tenant},
    domain::{FailureClass, Scope, Severity, Timestamp},
    query::{
        Page, Store,
        alerts::{self, AlertLine},
        tenants,
    },
    rule::Rule,
};

/// What there is to say of one rule and the tenant.
#[derive(Debug, Serialize)]
struct RuleLine<'a> {
    rule: &'a str,
    /// Its condition, in words.
    condition: String,
    /// How bad it is, if that is known.
    severity: Option<Severity>,
    /// Its alerts; empty: it never came near to firing.
    alerts: Vec<&'a AlertLine>,
}

/// Prints how the tenant is read, and a line for each rule that judges it, or two if it judges several values of which more than one
/// pends or fires. Alerts of the operator and of rules that have left the configuration are there as long as they are open.
pub(super) async fn show(
    store: &dyn Store,
    config: &Arc<Config>,
    tenant: &Tenant,
    as_json: bool,
) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    let filter = alerts::Filter { tenant: Some(tenant.id.to_string()), resolved: true, ..alerts::Filter::default() };
    let rows = alerts::list(store, scope, &filter, &Page::ALL).await?.items;
    let known = alerts::lines(store, config, scope, rows).await?;
    let judges = |rule: &Rule| tenant.scores.iter().any(|score| rule.applies_to(&tenant.labels, *score));
    let mut lines: Vec<RuleLine<'_>> =
        config.rules.iter().filter(|rule| judges(rule)).map(|rule| line(rule, &known)).collect();
    lines.extend(others(&known, &lines));
    if as_json {
        return output::json(&lines);
    }
    output::say(&reading(store, config, tenant, now).await?);
    let cells = lines.iter().flat_map(|line| {
        let of = move |alert: Option<&AlertLine>| {
            let [of_score, value, state, since] = alert.map_or_else(
                || [String::from("-"), String::from("-"), String::from("quiet"), String::from("-")],
                |alert| line_of(alert, now),
            );
            let severity = output::or_dash(line.severity.map(|severity| severity.to_string()));
            [line.rule.to_owned(), line.condition.clone(), severity, state, since, of_score, value]
        };
        let open: Vec<_> = line.alerts.iter().copied().filter(|alert| alert.since.is_some()).collect();
        if open.is_empty() { vec![of(None)] } else { open.into_iter().map(|alert| of(Some(alert))).collect() }
    });
    let header = ["RULE", "CONDITION", "SEVERITY", "STATE", "SINCE", "SCORE", "VALUE"];
    if lines.is_empty() {
        output::say(&format!("no rule judges `{}`", tenant.id));
    } else {
        output::say(&output::table(header, cells));
    }
    let rule = lines.first().map_or("RULE", |line| line.rule);
    output::say(&format!("\n`scorewatch explain {} {rule}` shows why a rule fires or does not", tenant.id));
    Ok(())
}

/// How checks of the tenant fare: no rule can fire while nothing is read.
async fn reading(store: &dyn Store, config: &Arc<Config>, tenant: &Tenant, now: Timestamp) -> Result<String, Failure> {
    let filter = tenants::Filter { search: Some(tenant.account.entra.to_string()), ..tenants::Filter::default() };
    let found = tenants::matching(store, config, &Scope::All, &filter, &Page::ALL).await?.items;
    let status = found.into_iter().find(|status| status.id == tenant.id);
    let failing = status.as_ref().and_then(|status| status.failing.as_ref());
    let checked_at = status.as_ref().and_then(|status| status.checked_at);
    Ok(match (failing, checked_at) {
        (Some(failing), _) => {
            let (why, since) = (FailureClass::described(&failing.class), output::ago(failing.since, now));
            format!("`{}` can't be read, first {since}: {why}; so what is quiet below may be wrong\n", tenant.id)
        }
        (None, None) => format!("`{}` has never been checked\n", tenant.id),
        (None, Some(at)) => format!("`{}` was last checked {}\n", tenant.id, output::ago(at, now)),
    })
}

/// Open alerts of what is not among these lines.
fn others<'a>(known: &'a [AlertLine], lines: &[RuleLine<'a>]) -> Vec<RuleLine<'a>> {
    let is_listed = |alert: &AlertLine| lines.iter().any(|line| line.rule == alert.row.key.rule.as_str());
    let mut others: Vec<RuleLine<'a>> = Vec::new();
    for alert in known.iter().filter(|alert| alert.since.is_some() && !is_listed(alert)) {
        let rule = alert.row.key.rule.as_str();
        match others.iter_mut().find(|line| line.rule == rule) {
            Some(line) => line.alerts.push(alert),
            None => {
                others.push(RuleLine {
                    rule,
                    condition: "-".to_owned(),
                    severity: alert.severity,
                    alerts: vec![alert],
                });
            }
        }
    }
    others
}

fn line<'a>(rule: &'a Rule, known: &'a [AlertLine]) -> RuleLine<'a> {
    RuleLine {
        rule: rule.name.as_str(),
        condition: rule.when.to_string(),
        severity: Some(rule.severity),
        alerts: known.iter().filter(|line| line.row.key.rule == rule.name).collect(),
    }
}
