//! `GET /events`: says that something has changed, so that a page that is open can load its parts again. It says nothing of what changed:
//! the page asks for that, as whoever is signed in. And it says so only of what the caller may see.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::Query,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;

use super::{answer::Visit, params::Params};
use crate::web::{
    protect::refusal,
    streams::{Full, StreamPlace},
};

/// How often a stream looks for changes.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);
/// How often something is sent although nothing changed, so that proxies keep the stream open.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(20);
/// A stream ends after this many looks, and the browser opens another one: whoever may no longer see something is soon asked again.
const LOOKS_MAX: u32 = 80;
/// A browser drops an event without data ("HTML", section "Server-sent events"), whatever it is called.
const DATA: &str = "-";
/// How long a browser waits until then.
const RETRY: Duration = Duration::from_secs(3);

/// `GET /events`.
pub(super) async fn stream(visit: Visit, headers: HeaderMap, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let params = Params(pairs);
    let place = match visit.app.streams.place(visit.caller.signature()) {
        Ok(place) => place,
        Err(full) => {
            let (status, whose) = match full {
                Full::Viewer => (StatusCode::TOO_MANY_REQUESTS, "you have too many pages open"),
                Full::Everybody => (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open"),
            };
            return refusal(status, &format!("{whose}, so this one shows no changes on its own"));
        }
    };
    let watch = Watch { last: seen(&headers, &params), visit, is_open: false, looks: 0, _place: place };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT_INTERVAL)).into_response()
}

/// What the page, or the stream before this one, has seen.
fn seen(headers: &HeaderMap, params: &Params) -> Option<u64> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    u64::from_str_radix(last.or_else(|| params.get("seen"))?, 16).ok()
}

/// One open page.
struct Watch {
    visit: Visit,
    /// What was seen last; `None`: nobody says.
    last: Option<u64>,
    is_open: bool,
    looks: u32,
    _place: StreamPlace,
}

impl Watch {
    /// The next change; `None`: the stream ends.
    async fn next(&mut self) -> Option<Event> {
        let app = &self.visit.app;
        while self.looks < LOOKS_MAX {
            if self.looks > 0 {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            self.looks += 1;
            // A store that can't be read is no change.
            let Ok(seen) = app.streams.look(app.store.as_ref(), app.now()).await else { continue };
            let now = seen.of(&self.visit.caller.scope);
            let before = self.last.replace(now).unwrap_or(now);
            if !self.is_open {
                self.is_open = true;
                // What has changed since the page was written is the next thing that is said.
                self.last = Some(before);
                self.looks = 0;
                return Some(event("open", before).retry(RETRY));
            }
            if before != now {
                return Some(event("change", now));
            }
        }
        None
    }
}

/// With what was seen, so that a browser that opens the stream again says from when on it wants to hear of changes.
fn event(name: &str, seen: u64) -> Event {
    Event::default().event(name).id(format!("{seen:x}")).data(DATA)
}
