//! The few HTTP clients behind the door. Connections are pooled per client, and a pooled connection is not vetted again: so
//! two requests share a client only if the same addresses are allowed to both.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::Client;
use rustls::ClientConfig;

use super::{
    EgressError, Private, failure,
    resolve::{Lookup, VettedResolver},
    target::Reach,
    tls,
};

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept per host: the default of `concurrency`, so that a full round of calls finds each one open.
const IDLE_PER_HOST_MAX: usize = 256;
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// A dead HTTP/2 connection carries all calls to its host; it is noticed after the sum of these.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Different policies at one time. A client costs some 100 kB; beyond this all are forgotten and built again as needed.
const CLIENTS_MAX: usize = 128;

/// What makes two requests' connections interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    reach: Reach,
    gunzip: bool,
}

/// Clients by what they may reach, built when first needed.
#[derive(Debug)]
pub(super) struct Clients {
    lookup: Arc<dyn Lookup>,
    built: RwLock<HashMap<Private, HashMap<Kind, Client>>>,
}

impl Clients {
    pub(super) fn new(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup, built: RwLock::default() }
    }

    /// The client for that policy; `gunzip` if the request asked for a compressed answer.
    ///
    /// # Errors
    /// [`EgressError::Unusable`] when this machine can't do TLS, for example because it has no root certificates.
    pub(super) fn of(&self, private: &Private, reach: Reach, gunzip: bool) -> Result<Client, EgressError> {
        let kind = Kind { reach, gunzip };
        {
            let built = self.built.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(client) = built.get(private).and_then(|kinds| kinds.get(&kind)) {
                return Ok(client.clone());
            }
        }
        let mut built = self.built.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = built.get(private).and_then(|kinds| kinds.get(&kind)) {
            return Ok(client.clone());
        }
        if built.len() >= CLIENTS_MAX && !built.contains_key(private) {
            built.clear();
        }
        let client = self.build(private, reach, gunzip)?;
        built.entry(private.clone()).or_default().insert(kind, client.clone());
        Ok(client)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds clients")]
    fn build(&self, private: &Private, reach: Reach, gunzip: bool) -> Result<Client, EgressError> {
        let resolver = VettedResolver { lookup: Arc::clone(&self.lookup), private: Arc::new(private.clone()), reach };
        let mut tls = ClientConfig::clone(&*tls::of_system()?);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .gzip(gunzip)
            .user_agent(concat!("scorewatch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .build()
            .map_err(|_| failure::no_tls())
    }
}
