//! `GET /rules/{name}`: a rule, what it would have sent, and what it would have sent with another threshold.

use axum::extract::{Path, Query};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    rules::rule_row,
    trial,
};
use crate::{
    domain::format_duration,
    query::{self, backtest::Tried, find},
    rule::{BaselineChoice, Condition, Rule, Size},
    web::replay::{BUSY, Refused, Replay},
};

/// How far back a backtest can reach: the words of the API, and what people read.
const SPANS: [(&str, &str); 4] = [("7d", "7 days"), ("14d", "14 days"), ("30d", "30 days"), ("90d", "90 days")];
const SPAN: &str = "30d";

/// `GET /rules/{name}`. Nothing is replayed until the form asks for it: a replay takes every core.
pub(super) async fn page(visit: Visit, Path(name): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        let rule = find::rule(&config, visit.scope(), &name)?;
        let open = visit.store().open_alerts().await?;
        let asked = Asked::of(rule, &params);
        let (result, problems) = if params.get("run").is_some() { run(&visit, rule, &asked).await? } else { nothing() };
        Ok::<_, query::Error>(json!({
            "rule": rule_row(&config, visit.scope(), rule, &open),
            "form": asked.form(rule),
            "problems": problems,
            "result": result,
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Rules, &name, "rule", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Neither a result nor a problem.
fn nothing() -> (Value, Vec<String>) {
    (Value::Null, Vec::new())
}

/// What a replay gives, or what to change in the form.
async fn run(visit: &Visit, rule: &Rule, asked: &Asked) -> Result<(Value, Vec<String>), query::Error> {
    let config = visit.app.config();
    let replay = Replay {
        store: visit.store(),
        config: &config,
        scope: visit.scope(),
        rule: rule.name.as_str(),
        tenants: asked.tenant.iter().cloned().collect(),
        since: &asked.since,
        tried: asked.tried(rule),
        now: visit.app.now(),
        turns: visit.app.replays.clone(),
    };
    match replay.run(true).await {
        Ok(replayed) => Ok((trial::view(visit, rule, &asked.tried(rule), &replayed).await?, Vec::new())),
        Err(Refused::Busy) => Ok((Value::Null, vec![format!("Try again in a moment: {BUSY}.")])),
        Err(Refused::Because(query::Error::Invalid(problems))) => Ok((Value::Null, problems)),
        Err(Refused::Because(error @ query::Error::NotFound { .. })) => Ok((Value::Null, vec![error.to_string()])),
        Err(Refused::Because(error)) => Err(error),
    }
}

/// What the form says.
struct Asked {
    since: String,
    /// The only tenant whose past is replayed.
    tenant: Option<String>,
    /// The bound, size or length.
    number: String,
    /// The unit of the size that is tried: `%` or `pts`.
    unit: String,
    within: String,
    pending_for: String,
}

impl Asked {
    /// As it was sent, or as the rule is written.
    fn of(rule: &Rule, params: &Params) -> Self {
        let (number, unit, within) = match rule.when {
            Condition::Below(bound) | Condition::Above(bound) => (bound.to_string(), "", String::new()),
            Condition::Drop(change) | Condition::Rise(change) => {
                let (size, unit) = match change.size {
                    Size::Percent(size) => (size, "%"),
                    Size::Points(size) => (size, "pts"),
                };
                (size.to_string(), unit, format_duration(change.within))
            }
            Condition::NoData(length) => (format_duration(length), "", String::new()),
        };
        let or = |name: &str, written: String| params.get(name).map_or(written, |text| text.trim().to_owned());
        Self {
            since: params
                .get("since")
                .filter(|since| SPANS.iter().any(|(span, _)| span == since))
                .unwrap_or(SPAN)
                .to_owned(),
            tenant: params.get("tenant").map(|id| id.trim().to_owned()),
            number: or("number", number),
            unit: or("unit", unit.to_owned()),
            within: or("within", within),
            pending_for: or("for", format_duration(rule.hold)),
        }
    }

    /// What differs from what is written.
    fn tried(&self, rule: &Rule) -> Tried {
        let condition = match rule.when {
            Condition::Below(_) => format!("below {}", self.number),
            Condition::Above(_) => format!("above {}", self.number),
            Condition::Drop(change) => format!("drop {}", self.change(change.from)),
            Condition::Rise(change) => format!("rise {}", self.change(change.from)),
            Condition::NoData(_) => format!("no data for {}", self.number),
        };
        let differs = |text: &String, written: String| *text != written;
        Tried {
            condition: Some(condition).filter(|text| differs(text, rule.when.to_string())),
            pending_for: Some(self.pending_for.clone()).filter(|text| differs(text, format_duration(rule.hold))),
        }
    }

    fn change(&self, from: BaselineChoice) -> String {
        let from = match from {
            BaselineChoice::Best => "",
            BaselineChoice::Previous => " from previous",
            BaselineChoice::Average => " from average",
        };
        format!("{}{} within {}{from}", self.number, self.unit, self.within)
    }

    fn form(&self, rule: &Rule) -> Value {
        let is_change = rule.when.change().is_some();
        let label = match rule.when {
            Condition::Below(_) => "Fires below",
            Condition::Above(_) => "Fires above",
            Condition::Drop(_) => "Fires at a drop of",
            Condition::Rise(_) => "Fires at a rise of",
            Condition::NoData(_) => "Fires after",
        };
        let units = [("%", "%"), ("pts", "points")];
        json!({
            "path": format!("/rules/{}", rule.name),
            "label": label,
            "number": self.number,
            "within": is_change.then_some(&self.within),
            "units": if is_change {
                units.iter().map(|(value, text)| json!({ "value": value, "text": text, "is_here": self.unit == *value })).collect::<Vec<_>>()
            } else {
                Vec::new()
            },
            "for": (!rule.is_no_data()).then_some(&self.pending_for),
            "tenant": self.tenant.as_deref().unwrap_or_default(),
            "spans": SPANS.map(|(value, text)| json!({ "value": value, "text": text, "is_here": self.since == value })),
        })
    }
}
