//! `GET /confirm/ID`: the page behind a drill's link. `POST` there: a person has seen the drill, so its channel is proven.
//!
//! There is no sign-in, by design: those who read a channel are the ones who can confirm it, and most of them have no account
//! here. The id is the permission: it has 130 bits, is sent to that channel only, and allows nothing but to say that
//! this drill arrived. A `GET` changes nothing, since chat services open links to show previews of them.
//!
//! Whoever makes ids up is limited by their address, and keeps nobody with a real one out: not even somebody behind the same proxy.

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::{Path, Request, State as Shared},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{State, access};
use crate::{
    action,
    domain::{Caller, ChannelName, Origin},
    notify::NotificationId,
    store::StoreError,
};

/// How long somebody waits for the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// How the audit log calls somebody who followed the link in a drill.
const READER: &str = "whoever reads the channel";

/// Asks whether the drill was seen.
pub(super) async fn ask(Shared(state): Shared<State>, Path(id): Path<String>, request: Request) -> Response {
    let Some(id) = NotificationId::parse(&id) else { return unknown() };
    answer(&state, &id, request, async |channels: Vec<ChannelName>, _| {
        Ok(format!(
            "<h1>A drill</h1>\n<p>Nothing is wrong. Scorewatch sent a drill to the channel \
             <strong>{}</strong>, to \
             show that its messages arrive.</p>\n<form method=\"post\"><button>I see this: confirm</button></form>",
            names(&channels)
        ))
    })
    .await
}

/// Records the confirmation that a person gave.
pub(super) async fn take(Shared(state): Shared<State>, Path(id): Path<String>, request: Request) -> Response {
    let Some(id) = NotificationId::parse(&id) else { return unknown() };
    answer(&state, &id, request, async |_, peer| {
        // Nobody signs in, so nobody knows who it is.
        let reader = Caller::without_rights(READER, Origin::Link { address: peer });
        let channels = action::drill::confirm(state.channels.as_ref(), &reader, &id, state.clock.now()).await?;
        for channel in &channels {
            tracing::info!(%channel, short_id = %id.short(), "a drill was confirmed");
        }
        let names = names(&channels);
        Ok(format!("<h1>Thank you</h1>\n<p>The channel <strong>{names}</strong> is proven: its messages arrive.</p>"))
    })
    .await
}

/// The page about the channels of a drill. None and not such an id look alike.
async fn answer(
    state: &State,
    id: &NotificationId,
    request: Request,
    write: impl AsyncFnOnce(Vec<ChannelName>, Option<IpAddr>) -> Result<String, StoreError>,
) -> Response {
    let (parts, _) = request.into_parts();
    let peer = access::client(&parts, &state.config.borrow().clone());
    let asked = async {
        let channels = look_up(state, id, peer).await?;
        if channels.is_empty() {
            let is_one_too_many = !state.confirmations.misses.admits(peer, state.clock.now());
            return Ok(if is_one_too_many { too_many() } else { unknown() });
        }
        if !state.confirmations.drills.admits(id.clone(), state.clock.now()) {
            return Ok(too_many());
        }
        Ok(page(StatusCode::OK, &write(channels, peer).await?))
    };
    match tokio::time::timeout(STORE_TIMEOUT, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            let error: StoreError = error;
            tracing::warn!(%error, "a confirmation could not be looked up");
            unavailable()
        }
        Err(_) => unavailable(),
    }
}

/// The channels that a drill was sent to; none if there is no such drill.
async fn look_up(state: &State, id: &NotificationId, peer: Option<IpAddr>) -> Result<Vec<ChannelName>, StoreError> {
    let limits = &state.confirmations;
    let has_guessed = limits.misses.is_used_up(&peer, state.clock.now());
    let places = if has_guessed { &limits.slow_lookups } else { &limits.lookups };
    // Nobody closes them.
    let _place = places.acquire().await.ok();
    state.channels.drilled(id).await
}

fn names(channels: &[ChannelName]) -> String {
    let names: Vec<String> = channels.iter().map(|channel| escaped(channel.as_str())).collect();
    names.join(", ")
}

fn too_many() -> Response {
    page(StatusCode::TOO_MANY_REQUESTS, "<h1>Too many requests</h1>\n<p>Please try again in a minute.</p>")
}

fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "<h1>Page not found</h1>")
}

fn unavailable() -> Response {
    page(StatusCode::SERVICE_UNAVAILABLE, "<h1>Temporarily unavailable</h1>\n<p>Please try again in a minute.</p>")
}

/// A page without script, style or image: its headers forbid the browser to load any.
fn page(status: StatusCode, body: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Scorewatch</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"robots\" content=\"noindex\"></head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
