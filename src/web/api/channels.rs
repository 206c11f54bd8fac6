//! Channels: how they fare, whom they can show, drills, and letting a parked one go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::Nothing,
    problem::Problem,
    route::{Call, Items, LIMIT_MAX},
};
use crate::{
    action::{
        channel,
        drill::{self, Queued},
    },
    domain::{ChannelName, TenantId},
    query::{
        channels::{self, ChannelStatus, WhoSees},
        find,
    },
};

/// Which channels: all of them, unless `limit` says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Channels {
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Channels>) -> Result<Items<ChannelStatus>, Problem> {
    let Channels { limit, after } = &call.input;
    Items::part(statuses(&call).await?, *limit, after.as_deref(), |status| status.name.as_str())
}

async fn statuses<I>(call: &Call<I>) -> Result<Vec<ChannelStatus>, Problem> {
    Ok(channels::list(call.store.as_ref(), &call.config, &call.caller.scope, call.now).await?)
}

pub(super) async fn show(call: Call<Nothing>) -> Result<ChannelStatus, Problem> {
    let settings = find::channel(&call.config, &call.caller.scope, call.path("name"))?;
    let found = statuses(&call).await?.into_iter().find(|status| status.name == settings.name);
    found.ok_or_else(|| Problem::new(super::problem::NOT_FOUND))
}

/// Whom channels can show.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Seen {
    /// Only the channels that can show this tenant.
    tenant: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn who_sees(call: Call<Seen>) -> Result<Items<WhoSees>, Problem> {
    let (config, scope) = (&call.config, &call.caller.scope);
    let tenant: Option<TenantId> = match &call.input.tenant {
        Some(id) => Some(find::tenant(config, scope, id)?.id.clone()),
        None => None,
    };
    let Seen { limit, after, .. } = &call.input;
    let seen = channels::who_sees(config, scope, tenant.as_ref())?;
    Items::part(seen, *limit, after.as_deref(), |seen| seen.channel.as_str())
}

pub(super) async fn drill(call: Call<Nothing>) -> Result<Queued, Problem> {
    Ok(drill::drill(call.store.as_ref(), &call.config, &call.caller, call.path("name"), call.now).await?)
}

/// A channel that goes on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Unparked {
    /// The name of the channel in the configuration.
    channel: ChannelName,
}

pub(super) async fn unpark(call: Call<Nothing>) -> Result<Unparked, Problem> {
    let caller = &call.caller;
    let name = call.path("name");
    Ok(Unparked { channel: channel::unpark(call.store.as_ref(), &call.config, caller, name, call.now).await? })
}
