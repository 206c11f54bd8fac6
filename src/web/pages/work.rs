//! `GET /work`: what would gain the most points across the fleet.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    words,
};
use crate::query::work::{self, Recommended};

/// Nobody works through more.
const ACTIONS: u32 = 50;

/// `GET /work`.
pub(super) async fn page(visit: Visit) -> Answer {
    let (config, store, scope) = (visit.app.config(), visit.store(), visit.scope());
    match work::work(store, &config, scope, ACTIONS).await {
        Ok(Recommended { items: actions, known_tenants: known, tenants }) => {
            let face = visit.face();
            let rows = actions.iter().map(|work| {
                let mut row = action(work);
                row["oldest"] = json!(face.moment(work.advice.oldest_at));
                row
            });
            let page = json!({
                "actions": rows.collect::<Vec<_>>(),
                "has_actions": !actions.is_empty(),
                "is_all": scope.is_all(),
                "known": format!("{known} of {}", words::counted(tenants, "tenant")),
                "is_partly": known < tenants as u64,
            });
            visit.show(Place::Work, "Work", "work", &page).await
        }
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// What would gain points, as pages show it.
pub(super) fn action(work::Work { advice, most }: &work::Work) -> Value {
    let count = usize::try_from(advice.tenants).unwrap_or(usize::MAX);
    let kind = advice.impact.score();
    json!({
        // What it is called says more than its id, which is shown where there is no name.
        "name": advice.name,
        "id": advice.id,
        "score": words::score_name(kind),
        "points": words::value(kind, advice.points),
        "tenants": words::counted(count, "tenant"),
        "devices": advice.exposed,
        "most": most.iter().map(|gain| json!({
            "tenant": gain.tenant,
            "name": gain.name,
            "points": words::value(kind, gain.points),
            "portal": gain.portal,
        })).collect::<Vec<_>>(),
        "portal": most.first().map(|gain| gain.portal.as_str()),
        "others": count.checked_sub(most.len()).filter(|others| *others > 0),
    })
}
