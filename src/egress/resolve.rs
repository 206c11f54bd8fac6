//! Names become addresses here, in our own process, and every one of them is vetted. The client connects to exactly these:
//! there is no second look-up whose answer could differ.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Private, target::Reach};

/// Turns a host's name into addresses.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug {
    /// Every address of that name.
    ///
    /// # Errors
    /// When there is no answer.
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system, which reads its hosts file and asks its DNS servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// One of a name's addresses is forbidden, so the name is.
#[derive(Debug, thiserror::Error)]
#[error("an address of that name is forbidden")]
pub(super) struct Forbidden;

/// The name has no address, or nobody could tell.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
pub(super) struct NoAddress;

/// The client's resolver: looks up, vets, pins.
#[derive(Debug, Clone)]
pub(super) struct VettedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) private: Arc<Private>,
    pub(super) reach: Reach,
}

impl Resolve for VettedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.lookup.look_up(name.as_str()).await.map_err(|_| NoAddress)?;
            if addresses.is_empty() {
                return Err(NoAddress.into());
            }
            if !addresses.iter().all(|address| this.reach.allows(&this.private, *address)) {
                return Err(Forbidden.into());
            }
            // Port 0: the client puts the URL's in.
            let vetted: Addrs =
                Box::new(addresses.into_iter().map(|address| SocketAddr::new(address.to_canonical(), 0)));
            Ok(vetted)
        })
    }
}
