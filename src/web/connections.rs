//! Every open connection. Those that wait for a request and those whose request is at work are counted apart, so clients that say
//! nothing take no place from those who ask, and a request takes none from another group's.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    limits::{Group, Limits, Place, Status, Waiting},
    protect::refusal,
};

/// Every connection that is open, and what it is doing.
pub(super) struct Connections {
    pub(super) limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Drawn by each connection when it opens, and each time that it begins to wait.
    next: u64,
    /// Those without a request at work; the one that has been waiting for longest comes first.
    waiting: BTreeMap<u64, Arc<Connection>>,
    /// Those with a request at work, by their ids.
    at_work: BTreeMap<Group, BTreeMap<u64, Arc<Connection>>>,
}

impl State {
    fn draw(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn remove(&mut self, id: u64, place: Place) {
        match place {
            Place::Waiting { number, .. } => drop(self.waiting.remove(&number)),
            Place::AtWork { group, .. } => {
                if let Some(requests) = self.at_work.get_mut(&group) {
                    requests.remove(&id);
                }
            }
        }
    }

    /// Ends connections that have been waiting for longest, until at most that many are left. Whether there were any.
    fn make_room(&mut self, most: usize) -> bool {
        let mut is_made = false;
        while self.waiting.len() > most
            && let Some((_, connection)) = self.waiting.pop_first()
        {
            connection.end.cancel();
            is_made = true;
        }
        is_made
    }
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    /// Counts a connection that was just accepted, and whether another one had to make room for it.
    pub(super) fn open(self: &Arc<Self>) -> (Open, bool) {
        let mut state = self.state();
        let (id, number) = (state.draw(), state.draw());
        let place = Place::Waiting { number, doing: Waiting::Head };
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            id,
            status: watch::Sender::new(Status::new(place, Instant::now())),
            end: CancellationToken::new(),
            is_answer_written: AtomicBool::new(false),
        });
        state.waiting.insert(number, Arc::clone(&connection));
        let is_made = state.make_room(self.limits.waiting);
        (Open(connection), is_made)
    }

    /// Ends the connection that has been waiting for longest: the system lets us open no more.
    pub(super) fn end_one(&self) {
        let mut state = self.state();
        let most = state.waiting.len().saturating_sub(1);
        state.make_room(most);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection; dropping it takes it out of the count.
pub(super) struct Open(pub(super) Arc<Connection>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.all.state();
        let place = self.0.place();
        state.remove(self.0.id, place);
    }
}

pub(super) struct Connection {
    all: Arc<Connections>,
    id: u64,
    status: watch::Sender<Status>,
    end: CancellationToken,
    /// Whether the last byte of the answer was handed over to be sent.
    is_answer_written: AtomicBool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Connection {
    fn place(&self) -> Place {
        self.status.borrow().place
    }

    /// The first bytes of a request have arrived.
    pub(super) fn head_begun(&self) {
        self.wait_for(Waiting::Head, |doing| doing == Waiting::Idle);
    }

    /// The head of a request is here, its body perhaps not.
    pub(super) fn head_ended(&self) {
        self.is_answer_written.store(false, Ordering::Release);
        // A client that sends several requests at once may still be reading the last answer.
        self.free();
        self.wait_for(Waiting::Body, |_| true);
    }

    /// Takes a place for a whole request. `false`: its group has none, and nobody in it reads slowly.
    fn begin(&self, group: Group) -> bool {
        let mut state = self.all.state();
        let place = self.place();
        if self.end.is_cancelled() {
            return false;
        }
        let most = (self.all.limits.at_work)(group);
        let requests = state.at_work.entry(group).or_default();
        if requests.len() >= most {
            let stalled = requests.iter().filter_map(|(id, other)| Some((other.status.borrow().stalled_since?, *id)));
            let Some((_, slowest)) = stalled.min() else { return false };
            if let Some(slowest) = requests.remove(&slowest) {
                slowest.end.cancel();
            }
        }
        let Place::Waiting { number, .. } = place else { return false };
        // The client of an action may have hung up: then there is nobody to count, and the action is done all the same.
        if let Some(connection) = state.waiting.remove(&number) {
            state.at_work.entry(group).or_default().insert(self.id, connection);
            self.note(Place::AtWork { group, is_sending: false });
        }
        true
    }

    /// The answer is there and is being sent.
    pub(super) fn answered(&self) {
        match self.place() {
            Place::AtWork { group, .. } => self.note(Place::AtWork { group, is_sending: true }),
            Place::Waiting { .. } => self.wait_for(Waiting::Refused, |_| true),
        }
    }

    /// Everything of the answer was handed over to be sent.
    pub(super) fn answer_written(&self) {
        self.is_answer_written.store(true, Ordering::Release);
    }

    /// Everything that was handed over was sent.
    pub(super) fn flushed(&self) {
        if self.is_answer_written.swap(false, Ordering::AcqRel) {
            self.free();
            self.wait_for(Waiting::Idle, |_| true);
        }
    }

    /// The client took some bytes.
    pub(super) fn sent(&self, bytes: usize) {
        // Whoever waits for the deadline looks at it again when it is reached: it only moves away.
        self.status.send_if_modified(|status| {
            status.sent_bytes = status.sent_bytes.saturating_add(bytes as u64);
            status.stalled_since.take().is_some()
        });
    }

    /// The client reads nothing at the moment.
    pub(super) fn stalled(&self) {
        self.status.send_if_modified(|status| {
            let is_first = status.stalled_since.is_none();
            status.stalled_since.get_or_insert_with(Instant::now);
            is_first
        });
    }

    /// Waits until the connection has to end: it was slow, or had to make room.
    pub(super) async fn must_end(&self) {
        let mut changes = self.status.subscribe();
        let overdue = async {
            loop {
                let deadline = changes.borrow_and_update().deadline(&self.all.limits);
                let Some(deadline) = deadline else {
                    if changes.changed().await.is_err() {
                        return;
                    }
                    continue;
                };
                if deadline <= Instant::now() {
                    return;
                }
                // Both look at the deadline again: it may have moved.
                let _ = tokio::time::timeout_at(deadline, changes.changed()).await;
            }
        };
        tokio::select! {
            () = self.end.cancelled() => {}
            () = overdue => {}
        }
    }

    /// Gives the place of a request back and waits for the next one.
    fn free(&self) {
        let mut state = self.all.state();
        let Place::AtWork { group, .. } = self.place() else { return };
        // Who had to make room is not counted any more, and ends soon.
        let Some(connection) = state.at_work.get_mut(&group).and_then(|requests| requests.remove(&self.id)) else {
            return;
        };
        let number = state.draw();
        state.waiting.insert(number, connection);
        self.note(Place::Waiting { number, doing: Waiting::Idle });
        state.make_room(self.all.limits.waiting);
    }

    /// Notes what a connection without a request at work does.
    fn wait_for(&self, doing: Waiting, applies: impl Fn(Waiting) -> bool) {
        self.status.send_if_modified(|status| {
            let Place::Waiting { number, doing: before } = status.place else { return false };
            let does_apply = applies(before);
            if does_apply {
                let stalled_since = status.stalled_since;
                *status = Status { stalled_since, ..Status::new(Place::Waiting { number, doing }, Instant::now()) };
            }
            does_apply
        });
    }

    fn note(&self, place: Place) {
        self.status.send_modify(|status| {
            let stalled_since = status.stalled_since;
            *status = Status { stalled_since, ..Status::new(place, Instant::now()) };
        });
    }
}

/// Takes a place for a request that is here as a whole.
pub(super) async fn admit(request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Arc<Connection>>();
    if connection.is_none_or(|connection| connection.begin(Group::of(request.uri().path()))) {
        return next.run(request).await;
    }
    let mut response =
        refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests are being answered; try again in a moment");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
