//! `GET /events`: says that something has changed, so that a page that is open can load its parts again. It says nothing of what changed:
//! the page asks for that, as whoever is signed in. And it says so only of what the caller may see.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;

use super::answer::Visit;
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
pub(super) async fn stream(visit: Visit) -> Response {
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
    let watch = Watch { visit, last: None, looks: 0, _place: place };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT_INTERVAL)).into_response()
}

/// One open page.
struct Watch {
    visit: Visit,
    last: Option<u64>,
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
            let before = self.last.replace(now);
            match before {
                None => return Some(Event::default().event("open").data(DATA).retry(RETRY)),
                Some(before) if before != now => return Some(Event::default().event("change").data(DATA)),
                Some(_) => {}
            }
        }
        None
    }
}
