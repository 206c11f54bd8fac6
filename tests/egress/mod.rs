//! The one door to the network, from outside: what anybody may write as a channel's URL, what a name may lead to, what a
//! receiver may answer. Whatever must not be reached is a trap, which counts connections; each trap is shown to work by a
//! request that is allowed.

mod addresses;
mod binary;
mod hosts;
mod limits;
mod names;
mod redirects;
mod trap;
mod vectors;

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use scorewatch::egress::{Answer, Egress, EgressError, Lookup, Method, Policy, Private, Request};

/// Names as a test wants them. Each look-up of a name takes its next answer; the last one stays.
#[derive(Debug, Default)]
struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    /// Every name leads to these, answer after answer.
    fn all(answers: &[&[&str]]) -> Arc<Self> {
        Self::of(&[("", answers)])
    }

    /// What each name leads to; the name `""` is every other.
    fn of(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let names = names.iter().map(|(name, answers)| ((*name).to_owned(), answers.iter().map(addresses).collect()));
        Arc::new(Self { answers: Mutex::new(names.collect()), asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn door(self: &Arc<Self>) -> Egress {
        Egress::with_lookup(Arc::clone(self) as Arc<dyn Lookup>)
    }
}

#[async_trait]
impl Lookup for Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut names = self.answers.lock().unwrap();
        let key = if names.contains_key(name) { name } else { "" };
        let answers = names.get_mut(key).ok_or_else(|| io::Error::other("no such name"))?;
        if answers.len() > 1 { Ok(answers.remove(0)) } else { Ok(answers[0].clone()) }
    }
}

/// A policy as a channel has it.
fn policy(private: &Private) -> Policy {
    Policy {
        private: private.clone(),
        deadline: Duration::from_secs(20),
        answer_bytes_max: 64 * 1024,
        fail_above_max: true,
    }
}

fn networks(networks: &[&str]) -> Private {
    Private::Networks(networks.iter().map(|network| network.parse().unwrap()).collect())
}

fn post(url: &str) -> Request {
    Request { method: Method::Post, url: url.into(), headers: Vec::new(), body: Bytes::from_static(b"{}") }
}

async fn send(door: &Egress, url: &str, private: &Private) -> Result<Answer, EgressError> {
    door.send(post(url), &policy(private)).await
}

/// Asserts that nothing leaves for that URL.
async fn refuses(door: &Egress, url: &str, private: &Private) {
    let error = send(door, url, private).await.err().unwrap_or_else(|| panic!("{url:?} was called, by {private:?}"));
    let stays = matches!(error, EgressError::NotAllowed(_) | EgressError::Unusable(_));
    assert!(stays, "{url:?} by {private:?}: {error:?}");
}
