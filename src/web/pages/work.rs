//! `GET /work`: what would gain the most points across the fleet.

use serde_json::json;

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    tenant::action,
};
use crate::query::work;

/// Nobody works through more.
const ACTIONS: u32 = 50;

/// `GET /work`.
pub(super) async fn page(visit: Visit) -> Answer {
    match work::work(visit.store(), visit.scope(), ACTIONS).await {
        Ok(advice) => {
            let face = visit.face();
            let rows = advice.iter().map(|advice| {
                let mut row = action(advice);
                row["oldest"] = json!(face.moment(advice.oldest_at));
                row
            });
            let page = json!({ "actions": rows.collect::<Vec<_>>(), "has_actions": !advice.is_empty() });
            visit.show(Place::Work, "Work", "work", &page).await
        }
        Err(error) => Err(visit.refuse(&error).await),
    }
}
