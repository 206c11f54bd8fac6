//! What one connection is doing, and for how long it may go on. Pure: the time is a parameter.

use std::time::Duration;

use tokio::time::Instant;

/// The stream of events of the pages.
pub(super) const EVENTS_OF_PAGES: &str = "/events";
/// The same of the API.
pub(super) const EVENTS_OF_API: &str = "/api/v1/events";

/// Requests that wait for different things, and so must not take each other's places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Group {
    /// `/healthz` and `/readyz`, answered from memory unless this machine asks.
    Probe,
    /// Requests for `/metrics`, as monitoring makes them.
    Metrics,
    /// Requests for the API, its streams apart.
    Api,
    /// `/confirm/…`, which needs no sign-in.
    Confirm,
    /// Everything else that people open in a browser.
    Page,
    /// A stream of events, which stays open.
    Stream,
}

impl Group {
    /// The group of a request for that path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" => Self::Probe,
            "/metrics" => Self::Metrics,
            EVENTS_OF_PAGES | EVENTS_OF_API => Self::Stream,
            _ if path.starts_with("/confirm/") => Self::Confirm,
            _ if path == "/api" || path.starts_with("/api/") => Self::Api,
            _ => Self::Page,
        }
    }
}

/// Limits on what clients may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at a time that wait for a whole request. The one that has been waiting for longest makes room for a new one.
    pub(super) waiting: usize,
    /// Requests at work at a time, for each group.
    pub(super) at_work: fn(Group) -> usize,
    /// From the first byte of a request's head to the last, and from accepting a connection to the end of its first head.
    pub(super) head: Duration,
    /// How long a body may take; the handler gives up before that (`access/request.rs`).
    pub(super) body: Duration,
    /// How long a connection may stay open between two requests.
    pub(super) idle: Duration,
    /// How long an answer may take until its first byte; every handler gives up before that.
    pub(super) answer: Duration,
    /// How long a client may read nothing while there is something to read.
    pub(super) stall: Duration,
    /// How long a client may take to read an answer, in addition to the time for its size at [`Self::bytes_per_second`].
    pub(super) send: Duration,
    /// The slowest reading that is waited for.
    pub(super) bytes_per_second: u32,
    /// What is left at shutdown for requests at work; the whole process has 10 s to end.
    pub(super) drain: Duration,
}

/// What a connection that has no request at work is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Nothing, since its last request.
    Idle,
    /// It sends the head of a request.
    Head,
    /// It sends the body of a request.
    Body,
    /// It reads that its request was refused.
    Refused,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among those without a request at work, in the order of their numbers.
    Waiting {
        /// Smaller for a connection that began to wait earlier.
        number: u64,
        /// What it does meanwhile.
        doing: Waiting,
    },
    /// Its request is being answered.
    AtWork {
        /// What kind of request.
        group: Group,
        /// Whether the answer is ready and the client reads it.
        is_sending: bool,
    },
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status {
    pub(super) place: Place,
    /// When it began to do what [`Self::place`] says.
    pub(super) since: Instant,
    /// Since when the client has read nothing, although there is something to read.
    pub(super) stalled_since: Option<Instant>,
    /// Bytes of the answer that the client took.
    pub(super) sent_bytes: u64,
}

impl Status {
    pub(super) const fn new(place: Place, now: Instant) -> Self {
        Self { place, since: now, stalled_since: None, sent_bytes: 0 }
    }

    /// When it has to be done with this; `None`: there is no limit.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let allowed = match self.place {
            Place::Waiting { doing: Waiting::Idle, .. } => Some(limits.idle),
            Place::Waiting { doing: Waiting::Head | Waiting::Refused, .. } => Some(limits.head),
            Place::Waiting { doing: Waiting::Body, .. } => Some(limits.body),
            Place::AtWork { is_sending: false, .. } => Some(limits.answer),
            Place::AtWork { group: Group::Stream, is_sending: true } => None,
            Place::AtWork { is_sending: true, .. } => {
                let seconds = self.sent_bytes / u64::from(limits.bytes_per_second.max(1));
                Some(limits.send.saturating_add(Duration::from_secs(seconds)))
            }
        };
        // A time that is too far away to be counted is no limit.
        let own = allowed.and_then(|allowed| self.since.checked_add(allowed));
        let read = self.stalled_since.and_then(|since| since.checked_add(limits.stall));
        own.into_iter().chain(read).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_belongs_to_a_group() {
        for (path, group) in [
            ("/healthz", Group::Probe),
            ("/readyz", Group::Probe),
            ("/metrics", Group::Metrics),
            ("/events", Group::Stream),
            ("/api/v1/events", Group::Stream),
            ("/api/v1/events/", Group::Api),
            ("/api", Group::Api),
            ("/api/v1/tenants", Group::Api),
            ("/apis", Group::Page),
            ("/", Group::Page),
            ("/confirm/msg_1", Group::Confirm),
        ] {
            assert_eq!(Group::of(path), group, "{path}");
        }
    }

    #[test]
    fn each_thing_that_a_connection_does_has_a_limit() {
        let limits = Limits {
            waiting: 1,
            at_work: |_| 1,
            head: Duration::from_secs(5),
            body: Duration::from_secs(12),
            idle: Duration::from_secs(30),
            answer: Duration::from_mins(1),
            stall: Duration::from_secs(10),
            send: Duration::from_secs(40),
            bytes_per_second: 100,
            drain: Duration::ZERO,
        };
        let now = Instant::now();
        let waiting = |doing| Place::Waiting { number: 0, doing };
        let at_work = |group, is_sending| Place::AtWork { group, is_sending };
        for (place, sent_bytes, seconds, when_stalled) in [
            (waiting(Waiting::Idle), 0, Some(30), 12),
            (waiting(Waiting::Head), 0, Some(5), 5),
            (waiting(Waiting::Refused), 0, Some(5), 5),
            (waiting(Waiting::Body), 0, Some(12), 12),
            (at_work(Group::Page, false), 0, Some(60), 12),
            (at_work(Group::Page, true), 0, Some(40), 12),
            (at_work(Group::Page, true), 1000, Some(50), 12),
            (at_work(Group::Stream, false), 0, Some(60), 12),
            (at_work(Group::Stream, true), 0, None, 12),
        ] {
            let status = Status { sent_bytes, ..Status::new(place, now) };
            let after = |status: Status| status.deadline(&limits).map(|deadline| (deadline - now).as_secs());
            assert_eq!(after(status), seconds, "{place:?}");
            let stalled = Status { stalled_since: Some(now + Duration::from_secs(2)), ..status };
            assert_eq!(after(stalled), Some(when_stalled), "{place:?}");
        }
    }
}
