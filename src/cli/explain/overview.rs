//! Every rule of a tenant in a line each, for whoever does not know yet which one to ask about.

use serde::Serialize;

use crate::{
    cli::{Failure, alerts::line_of, output},
    clock::Clock,
    config::{Config, Tenant},
    domain::{Scope, Severity},
    query::{
        Page, Store,
        alerts::{self, AlertLine},
    },
    rule::Rule,
};

/// What there is to say of one rule and the tenant.
#[derive(Debug, Serialize)]
struct RuleLine<'a> {
    /// The rule's name.
    rule: &'a str,
    /// Its condition, in words.
    condition: String,
    /// How bad it is.
    severity: Severity,
    /// Its alerts; empty: it never came near to firing.
    alerts: Vec<&'a AlertLine>,
}

/// Prints a line for each rule that judges the tenant, or two if it judges several values of which more than one pends or fires.
pub(super) async fn show(store: &dyn Store, config: &Config, tenant: &Tenant, as_json: bool) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    let filter = alerts::Filter { tenant: Some(tenant.id.to_string()), resolved: true, ..alerts::Filter::default() };
    let rows = alerts::list(store, scope, &filter, &Page::ALL).await?.items;
    let known = alerts::lines(store, config, scope, rows).await?;
    let judges = |rule: &Rule| tenant.scores.iter().any(|score| rule.applies_to(&tenant.labels, *score));
    let lines: Vec<RuleLine<'_>> =
        config.rules.iter().filter(|rule| judges(rule)).map(|rule| line(rule, &known)).collect();
    if as_json {
        return output::json(&lines);
    }
    let cells = lines.iter().flat_map(|line| {
        let of = move |alert: Option<&AlertLine>| {
            let [of_score, value, state, since] = alert.map_or_else(
                || [String::from("-"), String::from("-"), String::from("quiet"), String::from("-")],
                |alert| line_of(alert, now),
            );
            [line.rule.to_owned(), line.condition.clone(), line.severity.to_string(), state, since, of_score, value]
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

fn line<'a>(rule: &'a Rule, known: &'a [AlertLine]) -> RuleLine<'a> {
    RuleLine {
        rule: rule.name.as_str(),
        condition: rule.when.to_string(),
        severity: rule.severity,
        alerts: known.iter().filter(|line| line.row.key.rule == rule.name).collect(),
    }
}
