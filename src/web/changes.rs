//! A stream of server-sent events that says that something has changed. It says nothing of what changed: whoever listens asks for that,
//! as themselves. And it says so only of what the caller may see. Pages have it at `/events`, programs at `/api/v1/events`.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;

use super::{
    app::App,
    streams::{Full, StreamPlace},
};
use crate::domain::Caller;

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

/// Opens a stream for that caller, who has seen what that number stands for; `None`: nobody says.
///
/// # Errors
/// [`Full`].
pub(super) fn open(app: App, caller: Caller, headers: &HeaderMap, seen: Option<u64>) -> Result<Response, Full> {
    let place = app.streams.place(caller.signature())?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(read);
    let watch = Watch { app, caller, last: last.or(seen), is_open: false, looks: 0, _place: place };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT_INTERVAL)).into_response())
}

/// The number that the id of an event, or `seen` in an address, stands for.
pub(super) fn read(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

struct Watch {
    app: App,
    caller: Caller,
    /// What was seen last; `None`: nobody says.
    last: Option<u64>,
    is_open: bool,
    looks: u32,
    _place: StreamPlace,
}

impl Watch {
    /// The next change; `None`: the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while self.looks < LOOKS_MAX {
            if self.looks > 0 {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            self.looks += 1;
            // A store that can't be read is no change.
            let Ok(now) = self.app.seen(&self.caller.scope).await else { continue };
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
