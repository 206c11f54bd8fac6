//! `GET /system`: whether the service itself is well.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    words,
};
use crate::{
    config::StoreLocation,
    query::{
        self, Page,
        fleet::{self, Filter, Only, Sort},
    },
    schedule::Zone,
    store::Downtime,
};

/// The newest periods of downtime that are listed.
const DOWNTIMES_MAX: usize = 10;
/// The most overdue tenants that are named.
const LATE_MAX: u32 = 10;

/// `GET /system`. What concerns the whole service is shown to those who may see everything.
pub(super) async fn page(visit: Visit) -> Answer {
    let shown = async {
        let (config, face) = (visit.app.config(), visit.face());
        let filter = Filter { only: Some(Only::Blind), sort: Sort::Checked, ..Filter::default() };
        let (memory, page) = (&visit.app.fleet, Page::first(LATE_MAX));
        let late = fleet::fleet(visit.store(), &config, memory, visit.scope(), &filter, &page, face.now).await?;
        let is_all = visit.scope().is_all();
        let service = if is_all { service(&visit).await? } else { Value::Null };
        Ok::<_, query::Error>(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "zone": config.timezone.name(),
            "zone_release": Zone::built_in_release(),
            "tenants": late.totals.tenants,
            "failing": late.totals.failing,
            "late": late.totals.late,
            "never_checked": late.totals.never_checked,
            "late_tenants": late.items.iter().map(|line| json!({
                "id": line.id, "name": line.name, "freshness": super::fleet::freshness(&face, line),
            })).collect::<Vec<_>>(),
            "rejected": visit.app.rejected().filter(|_| is_all).map(|rejected| json!({
                "errors": words::counted(rejected.errors, "error"), "first": rejected.first,
            })),
            "service": service,
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::System, "System", "system", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

async fn service(visit: &Visit) -> Result<Value, query::Error> {
    let (config, face, store) = (visit.app.config(), visit.face(), visit.store());
    let (place, bytes) = match &config.store {
        StoreLocation::Sqlite(path) => {
            let bytes = tokio::fs::metadata(path).await.map(|metadata| metadata.len()).ok();
            (path.display().to_string(), bytes)
        }
        StoreLocation::Postgres(database) => (database.to_string(), None),
    };
    let downtimes = store.downtimes().await?;
    let down = |down: &Downtime| {
        json!({
            "from": face.moment(down.from), "until": face.full(down.until),
            "length": words::length(down.until.since(down.from)),
        })
    };
    Ok(json!({
        "store": place,
        "size": bytes.map(|bytes| format!("{} MB", bytes.div_ceil(1024 * 1024))),
        "heartbeat": face.optional(store.last_heartbeat().await?),
        "retention": crate::domain::format_duration(config.retention),
        "listen": config.listen.to_string(),
        "public_url": config.public_url,
        "rules": config.rules.len(),
        "channels": config.channels.len(),
        "downtimes": downtimes.iter().rev().take(DOWNTIMES_MAX).map(down).collect::<Vec<_>>(),
    }))
}
