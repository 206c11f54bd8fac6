//! Chat receivers on loopback: Teams Workflows, webhooks of Slack, Discord, Google Chat and Mattermost, any webhook. Everything that arrives is kept.

mod chat;
mod inbox;
mod slack;
mod teams;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::{HeaderMap, Method, Request, Response, body::Incoming};
use serde_json::Value;

pub use inbox::Received;

use super::{
    Reply,
    listener::{self, Closed, Listener, Site},
    script::Script,
};

/// Running receivers; dropping them closes their port and connections.
#[derive(Debug)]
pub struct Receivers {
    listener: Listener,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The receivers' doors, by path.
    doors: Mutex<HashMap<String, Door>>,
    inbox: inbox::Inbox,
}

/// One channel's URL and what is behind it.
#[derive(Debug)]
struct Door {
    channel: Arc<str>,
    kind: Kind,
    query: &'static str,
    replies: Script<Reply>,
    /// What a Teams flow posted.
    posted: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Teams,
    Slack,
    Discord,
    GoogleChat,
    Mattermost,
    Webhook,
}

impl Receivers {
    /// Starts receivers on a free port of 127.0.0.1, on the current runtime. They know no channel yet.
    ///
    /// # Errors
    /// Whatever the operating system says to binding a loopback port.
    pub async fn start() -> io::Result<Self> {
        let state = Arc::new(State::default());
        Ok(Self { listener: Listener::start(Arc::clone(&state)).await?, state })
    }

    /// Closes the port and every connection.
    pub fn stop(&self) {
        self.listener.stop();
    }

    /// Waits until every connection is closed: whoever was killed has been heard to the end.
    ///
    /// # Errors
    /// Whatever the operating system says to a loopback connection.
    pub async fn drained(&self) -> io::Result<()> {
        self.listener.drained().await
    }

    /// Adds a Teams Workflows webhook and returns its URL, which is a secret as a real one is.
    #[must_use]
    pub fn add_teams(&self, channel: &str) -> String {
        self.add(channel, Kind::Teams, &teams::path(channel), teams::QUERY)
    }

    /// Adds a Slack incoming webhook and returns its URL, which is a secret as a real one is.
    #[must_use]
    pub fn add_slack(&self, channel: &str) -> String {
        self.add(channel, Kind::Slack, &slack::path(channel), "")
    }

    /// Adds a Discord webhook and returns its URL, which is a secret as a real one is.
    #[must_use]
    pub fn add_discord(&self, channel: &str) -> String {
        self.add(channel, Kind::Discord, &chat::discord_path(channel), "")
    }

    /// Adds a Google Chat webhook and returns its URL, which is a secret as a real one is.
    #[must_use]
    pub fn add_google_chat(&self, channel: &str) -> String {
        self.add(channel, Kind::GoogleChat, &chat::google_chat_path(channel), "key=simulated&token=simulated")
    }

    /// Adds a Mattermost webhook and returns its URL, which is a secret as a real one is.
    #[must_use]
    pub fn add_mattermost(&self, channel: &str) -> String {
        self.add(channel, Kind::Mattermost, &chat::mattermost_path(channel), "")
    }

    /// Adds a receiver that takes anything and returns its URL.
    #[must_use]
    pub fn add_webhook(&self, channel: &str) -> String {
        self.add(channel, Kind::Webhook, &format!("/hooks/{channel}"), "")
    }

    fn add(&self, channel: &str, kind: Kind, path: &str, query: &'static str) -> String {
        let door = Door { channel: channel.into(), kind, query, replies: Script::default(), posted: Vec::new() };
        self.state.doors().insert(path.to_owned(), door);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{query}", self.listener.base_url())
    }

    /// Answers a channel's next requests with these, one each.
    pub fn script(&self, channel: &str, replies: Vec<Reply>) {
        self.state.with_door(channel, |door| door.replies.push(replies));
    }

    /// Answers all of a channel's requests with that; `None`: as usual again.
    pub fn set(&self, channel: &str, reply: Option<Reply>) {
        self.state.with_door(channel, |door| door.replies.stand(reply));
    }

    /// Everything that arrived, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Arc<Received>> {
        self.state.inbox.all()
    }

    /// What arrived for one channel, oldest first.
    #[must_use]
    pub fn received_by(&self, channel: &str) -> Vec<Arc<Received>> {
        self.state.inbox.all().into_iter().filter(|request| &*request.channel == channel).collect()
    }

    /// The cards that a Teams channel shows, oldest first: an accepted request with a bad card posts none.
    #[must_use]
    pub fn posted(&self, channel: &str) -> Vec<Value> {
        self.state.with_door(channel, |door| door.posted.clone()).unwrap_or_default()
    }

    /// Waits until `enough` holds of everything that arrived; it is asked again after each arrival. Never ends if that never happens.
    pub async fn wait_for(&self, mut enough: impl FnMut(&[Arc<Received>]) -> bool) {
        let mut revisions = self.state.inbox.revisions();
        loop {
            revisions.mark_unchanged();
            if enough(&self.state.inbox.all()) || revisions.changed().await.is_err() {
                return;
            }
        }
    }
}

impl State {
    fn doors(&self) -> MutexGuard<'_, HashMap<String, Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_door<T>(&self, channel: &str, change: impl FnOnce(&mut Door) -> T) -> Option<T> {
        self.doors().values_mut().find(|door| &*door.channel == channel).map(change)
    }
}

/// A number that identifies a channel in URLs that do not show its name (FNV-1a, 128 bits).
fn fingerprint(channel: &str) -> u128 {
    channel.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

impl Site for State {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let (head, body) = request.into_parts();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let Some(body) = listener::read_body(body).await else {
            return Reply::status(413).send().await;
        };
        let (channel, reply) = match self.doors().get_mut(path) {
            Some(door) => (Arc::clone(&door.channel), door.reply(&head.method, query, &head.headers, &body)),
            None => (Arc::from(""), Reply::status(404)),
        };
        let received = Received::new(channel, path.to_owned(), head.headers, body, reply.seen_status());
        // A client that goes away drops what answers it.
        let _under_way = self.inbox.keep(received);
        reply.send().await
    }
}

impl Door {
    fn reply(&mut self, method: &Method, query: &str, headers: &HeaderMap, body: &Bytes) -> Reply {
        if method != Method::POST {
            return Reply::status(405);
        }
        if self.kind == Kind::Teams
            && let Some(refusal) = teams::refuse(query, self.query)
        {
            return refusal;
        }
        if let Some(scripted) = self.replies.next() {
            return scripted;
        }
        match self.kind {
            Kind::Teams => {
                self.posted.extend(teams::cards_shown(body));
                Reply::status(202)
            }
            Kind::Slack => slack::judge(headers, body),
            Kind::Discord => chat::discord(query, body),
            Kind::GoogleChat => chat::google_chat(body),
            Kind::Mattermost => chat::mattermost(body),
            Kind::Webhook => Reply::status(204),
        }
    }
}

#[cfg(test)]
mod tests;
