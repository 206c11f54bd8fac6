//! `GET /system`: whether the service itself is well.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    words::{self, Clockface},
};
use crate::{
    query::{
        self, Page,
        fleet::{self, Filter, Only, Sort},
        replicas::Replica,
        system::{self, Finding, System},
    },
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
        let rejected = visit.app.rejected();
        let system = system::show(visit.store(), &config, rejected.as_ref(), visit.scope(), face.now).await?;
        let system = system.listening(visit.app.address);
        let filter = Filter { only: Some(Only::Blind), sort: Sort::Checked, ..Filter::default() };
        let (memory, page) = (&visit.app.fleet, Page::first(LATE_MAX));
        let late = fleet::fleet(visit.store(), &config, memory, visit.scope(), &filter, &page, face.now).await?;
        let service = service(&face, &system);
        let overdue = Duration::from_secs(system.checks.latest_seconds);
        Ok::<_, query::Error>(json!({
            "version": system.version,
            "zone": system.timezone,
            "checks": system.checks,
            "latest": (system.checks.late > 0).then(|| words::length(overdue)),
            "late_tenants": late.items.iter().map(|line| json!({
                "id": line.id, "name": line.name, "freshness": super::fleet::freshness(&face, line),
            })).collect::<Vec<_>>(),
            "rejected": system.rejected.as_ref().map(|rejected| json!({
                "errors": words::counted(rejected.errors, "error"),
                "problems": rejected.problems.iter().map(finding).collect::<Vec<_>>(),
            })),
            "configuration": system.configuration.as_ref().map(|configuration| json!({
                "fingerprint": configuration.fingerprint,
                "tenants": words::counted(configuration.tenants, "tenant"),
                "rules": words::counted(configuration.rules, "rule"),
                "channels": words::counted(configuration.channels, "channel"),
                "zone_data": configuration.zone_data,
                "warnings": configuration.warnings.iter().map(finding).collect::<Vec<_>>(),
            })),
            "service": service,
            "replicas": system.replicas.iter().map(|one| replica(&face, one)).collect::<Vec<_>>(),
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::System, "System", "system", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// A service that shares the store.
fn replica(face: &Clockface, replica: &Replica) -> Value {
    json!({
        "place": replica.place,
        "version": replica.version,
        "started": face.moment(replica.started_at),
        "heard": face.moment(replica.heard_at),
        "state": match (replica.living, replica.leads) {
            (false, _) => "gone",
            (true, true) => "leads",
            (true, false) => "works",
        },
        "shards": replica.shards,
        "lateness": replica.lateness(),
        "fingerprint": replica.fingerprint,
        "rejects": replica.rejects,
        "differs": replica.same_configuration == Some(false),
    })
}

/// A problem of a configuration, with its place.
fn finding(finding: &Finding) -> Value {
    json!({
        "place": format!("{}:{}:{}", finding.file, finding.line, finding.column),
        "key": finding.key,
        "name": finding.warning,
        "what": finding.what,
        "instead": finding.instead,
    })
}

fn service(face: &Clockface, system: &System) -> Value {
    let (Some(service), Some(store)) = (&system.service, &system.store) else { return Value::Null };
    let down = |down: &Downtime| {
        json!({
            "from": face.moment(down.from), "until": face.full(down.until),
            "length": words::length(down.until.since(down.from)),
        })
    };
    json!({
        "store": store.location,
        "size": store.bytes.map(size),
        "unfinished": store.unfinished,
        "heartbeat": face.optional(store.last_heartbeat),
        "retention": service.retention,
        "listen": service.listen,
        "public_url": service.public_url,
        "needs_sign_in": service.sign_in,
        "downtimes": service.downtimes.iter().take(DOWNTIMES_MAX).map(down).collect::<Vec<_>>(),
    })
}

/// `612 KB`, `14 MB`, `2.3 GB`: in units of 1024, as disks are shown.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..=1_048_575 => format!("{} KB", bytes.div_ceil(KIB)),
        1_048_576..=1_073_741_823 => format!("{} MB", bytes.div_ceil(KIB * KIB)),
        _ => {
            let tenths = bytes.saturating_mul(10).div_ceil(KIB * KIB * KIB);
            format!("{}.{} GB", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_in_the_unit_that_suits_it() {
        for (bytes, said) in
            [(0, "0 KB"), (1, "1 KB"), (626_688, "612 KB"), (14_680_064, "14 MB"), (2_469_606_195, "2.3 GB")]
        {
            assert_eq!(size(bytes), said);
        }
    }
}
