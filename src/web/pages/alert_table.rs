//! Alerts as the template `alert-table` shows them.

use serde_json::{Value, json};

use super::{
    answer::Visit,
    words::{self, Clockface},
};
use crate::{check::blind::OPERATOR_BLIND, query::alerts::AlertLine, rule::display};

/// Alerts, a row each.
pub(super) fn rows(visit: &Visit, lines: &[AlertLine]) -> Value {
    let (config, face) = (visit.app.config(), visit.face());
    let name = |line: &AlertLine| config.tenants.get(&line.row.key.tenant).map(|tenant| tenant.name.clone());
    let shift_name = words::shift_name(visit.scope());
    let shown = |line: &AlertLine| {
        let mut row = row(&face, line, name(line).as_deref());
        row["shift_name"] = json!(shift_name);
        row
    };
    lines.iter().map(shown).collect()
}

/// `name`: the tenant's in the configuration; `None`: it has left it, so it has no page.
fn row(face: &Clockface, line: &AlertLine, name: Option<&str>) -> Value {
    let (key, has_page) = (&line.row.key, name.is_some());
    let last = line.row.last_notification.as_ref();
    let said = || last.and_then(|last| last.data.tenant.as_ref()).map(|tenant| tenant.name.as_str());
    let name = name.or_else(said).unwrap_or(key.tenant.as_str());
    let number = |value: f64| key.score.map_or_else(|| display::number(value), |kind| words::value(kind, value));
    let resolved = last.and_then(|last| last.data.alert.as_ref()).and_then(|alert| alert.resolved_at);
    let loss = line.loss.filter(|loss| *loss > 0.0);
    json!({
        "id": line.id,
        "short_id": line.short_id,
        "tenant": key.tenant,
        "tenant_name": name,
        "has_page": has_page,
        "rule": key.rule,
        "score": if key.rule.as_str() == OPERATOR_BLIND { "can't be read" } else {
            key.score.map_or("All scores", words::score_name)
        },
        "is_pending": line.row.alert.state.as_str() == "pending",
        "subject": key.subject.as_ref().map(ToString::to_string),
        "severity": line.severity.map(words::severity),
        "state": line.row.alert.state.as_str(),
        "value": line.value.map(number),
        "compared": line.compared_with.map(number),
        "loss": loss.map(display::number),
        "loss_percent": line.loss_percent.filter(|_| loss.is_some()).map(|percent| format!("{percent:.1}")),
        "since": face.optional(line.since),
        "until": face.optional(resolved.filter(|_| line.since.is_none())),
        "acknowledged": line.row.acknowledged.as_ref().map(|seen| json!({
            "by": seen.by, "comment": seen.comment, "at": face.moment(seen.at),
        })),
        "shift": line.row.shift,
        "is_open": line.since.is_some(),
    })
}
