//! Names become addresses here, in our own process, and every one of them is vetted. The client connects to exactly these:
//! there is no second look-up whose answer could differ.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::{Private, target::Reach};

/// Turns a host's name into addresses.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug {
    /// Every address of that name.
    ///
    /// # Errors
    /// If there is no answer.
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Names that are looked up at one time. Each takes a thread, for half a minute if no name server answers.
const LOOKUPS_MAX: usize = 64;

static LOOKUPS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);

/// Asks the system, which reads its hosts file and asks its DNS servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The semaphore is never closed. A look-up keeps its place until the system has answered, also when nobody waits for it
        // any more, so that name servers that do not answer never take all of the runtime's threads for waiting.
        let place = LOOKUPS.acquire().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let look_up = move || {
            let _place = place;
            (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
        };
        tokio::task::spawn_blocking(look_up).await.map_err(io::Error::other)?
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unresolved {
    /// One of its addresses is forbidden, so the name is.
    #[error("the name resolves to an address that is not allowed")]
    Forbidden,
    /// It has no address, or the look-up failed.
    #[error("the name could not be resolved")]
    NoAddress,
}

/// Every address of that name, if each of them may be called.
pub(super) async fn vetted(
    lookup: &dyn Lookup,
    name: &str,
    private: &Private,
    reach: Reach,
) -> Result<Vec<IpAddr>, Unresolved> {
    let addresses = lookup.look_up(name).await.map_err(|_| Unresolved::NoAddress)?;
    if addresses.is_empty() {
        return Err(Unresolved::NoAddress);
    }
    if !addresses.iter().all(|address| reach.allows(private, *address)) {
        return Err(Unresolved::Forbidden);
    }
    Ok(addresses.into_iter().map(|address| address.to_canonical()).collect())
}

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
            let addresses = vetted(&*this.lookup, name.as_str(), &this.private, this.reach).await?;
            // Port 0: the client puts the URL's in.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
