//! `GET /channels`: whether messages arrive, when that was last verified, and who may be shown where.

use std::time::Duration;

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    words::{self, Clockface},
};
use crate::{
    domain::{Role, TenantId, format_duration},
    query::{
        self,
        channels::{ChannelStatus, WhoSees},
    },
};

/// The most tenants that are named at a channel.
const NAMES_MAX: usize = 12;

/// `GET /channels`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let (config, face) = (visit.app.config(), visit.face());
        let channels = query::channels::list(visit.store(), &config, visit.scope(), face.now).await?;
        let sights = query::channels::who_sees(&config, visit.scope(), None)?;
        let done = match params.get("done") {
            Some("drilled") => Some("The drill is queued. It is sent within seconds."),
            Some("unparked") => Some("The channel goes on: its queue is sent within seconds."),
            _ => None,
        };
        let row = |channel: &ChannelStatus| {
            let sight = sights.iter().find(|seen| seen.channel == channel.name);
            channel_row(&face, channel, sight)
        };
        Ok::<_, query::Error>(json!({
            "done": done,
            "channels": channels.iter().map(row).collect::<Vec<_>>(),
            "has_channels": !channels.is_empty(),
            "may_act": visit.caller.may(Role::Admin),
            "is_all": visit.scope().is_all(),
            // Those that others share: their state is not one tenant's business, and that they show a tenant is.
            "shared": sights.iter().map(|seen| &seen.channel)
                .filter(|name| channels.iter().all(|channel| channel.name != **name)).collect::<Vec<_>>(),
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Channels, "Channels", "channels", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// `at most one message every 1s`.
fn pace(seconds: f64) -> String {
    if seconds <= 0.0 {
        return "as they come".to_owned();
    }
    format!("at most one message every {}", format_duration(Duration::from_secs_f64(seconds)))
}

fn channel_row(face: &Clockface, channel: &ChannelStatus, sight: Option<&WhoSees>) -> Value {
    let reason = channel.parked.as_ref().or(channel.failing.as_ref());
    let since = channel.parked_since.or(channel.failing_since);
    let shown = sight.map(|seen| &seen.sight);
    let names: Vec<&str> = shown.iter().flat_map(|sight| &sight.may_show).map(TenantId::as_str).collect();
    let state = if channel.state == "ok" && channel.unproven { "unverified" } else { channel.state };
    json!({
        "name": channel.name,
        "type": channel.r#type,
        "state": state,
        "reason": reason,
        "since": face.optional(since),
        "cooldown": face.optional(channel.cooldown_until),
        "is_parked": channel.parked.is_some(),
        "waiting": channel.waiting,
        "dead": channel.dead,
        "oldest": face.optional(channel.oldest_queued_at),
        "pace": pace(channel.pace_seconds),
        "proven": face.optional(channel.proven_at),
        "drilled": face.optional(channel.drilled_at),
        "is_open": shown.is_some_and(|sight| sight.open),
        "tenants": words::counted(names.len(), "tenant"),
        "names": names.iter().take(NAMES_MAX).collect::<Vec<_>>(),
        "more": names.len().checked_sub(NAMES_MAX).filter(|more| *more > 0),
        "rules": shown.map(|sight| sight.rules.keys().collect::<Vec<_>>()).unwrap_or_default(),
        "is_operator": shown.is_some_and(|sight| sight.operator),
    })
}
