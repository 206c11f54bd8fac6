//! `GET /confirm/ID`: the page behind a drill's link. `POST` there: a person has seen the drill, so its channel is proven.
//!
//! There is no sign-in, by design: those who read a channel are the ones who can confirm it, and most of them have no account
//! here. The id is the permission: it has 130 bits, is sent to that channel only, and allows nothing but to say that
//! this drill
//! arrived. A `GET` changes nothing, since chat services open links to show previews of them.

use std::time::Duration;

use axum::{
    extract::{Path, State as Shared},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::State;
use crate::{domain::ChannelName, notify::NotificationId, store::StoreError};

/// How long somebody waits for the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks whether the drill was seen.
pub(super) async fn ask(Shared(state): Shared<State>, Path(id): Path<String>) -> Response {
    let Some(id) = NotificationId::parse(&id) else { return unknown() };
    answer(&state, state.channels.drilled(&id), |channels| {
        format!(
            "<h1>A drill</h1>\n<p>Nothing is wrong. Scorewatch sent a drill to the channel \
             <strong>{channels}</strong>, to \
             show that its messages arrive.</p>\n<form method=\"post\"><button>I see this: confirm</button></form>"
        )
    })
    .await
}

/// Records the confirmation that a person gave.
pub(super) async fn take(Shared(state): Shared<State>, Path(id): Path<String>) -> Response {
    let Some(id) = NotificationId::parse(&id) else { return unknown() };
    let confirmed = async {
        let channels = state.channels.confirm(&id, state.clock.now()).await?;
        for channel in &channels {
            tracing::info!(%channel, short_id = %id.short(), "a drill was confirmed");
        }
        Ok(channels)
    };
    answer(&state, confirmed, |channels| {
        format!("<h1>Thank you</h1>\n<p>The channel <strong>{channels}</strong> is proven: its messages arrive.</p>")
    })
    .await
}

/// The page about the channels that the store names. None and not such an id look alike.
async fn answer(
    state: &State,
    asked: impl Future<Output = Result<Vec<ChannelName>, StoreError>>,
    write: impl FnOnce(String) -> String,
) -> Response {
    if !state.confirmations.admits(state.clock.now()) {
        return page(StatusCode::TOO_MANY_REQUESTS, "<h1>Too many requests</h1>\n<p>Please try again in a minute.</p>");
    }
    match tokio::time::timeout(STORE_TIMEOUT, asked).await {
        Ok(Ok(channels)) if channels.is_empty() => unknown(),
        Ok(Ok(channels)) => {
            let names: Vec<String> = channels.iter().map(|channel| escaped(channel.as_str())).collect();
            page(StatusCode::OK, &write(names.join(", ")))
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "a confirmation could not be looked up");
            unavailable()
        }
        Err(_) => unavailable(),
    }
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
