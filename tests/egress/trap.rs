//! A listener that nobody may reach: on every address of this machine, IPv4 and IPv6, it counts connections and answers 200.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A trap. Its threads end with the test process.
pub(super) struct Trap {
    pub(super) port: u16,
    /// Whether this machine has IPv6, so that the trap stands there too.
    pub(super) has_v6: bool,
    connections: Arc<AtomicUsize>,
}

/// The port that a URL without one means. Only a privileged test process can stand there; elsewhere it counts nothing.
static HTTPS: LazyLock<Option<Trap>> = LazyLock::new(|| Trap::on(443));

impl Trap {
    /// A trap on a free port.
    pub(super) fn set() -> Self {
        LazyLock::force(&HTTPS);
        Self::on(0).unwrap()
    }

    fn on(port: u16) -> Option<Self> {
        let connections = Arc::new(AtomicUsize::new(0));
        let (listeners, port, has_v6) = listeners(port)?;
        for listener in listeners {
            let connections = Arc::clone(&connections);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let Ok(mut stream) = stream else { continue };
                    thread::spawn(move || {
                        let _ = stream.read(&mut [0; 4096]);
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    });
                }
            });
        }
        Some(Self { port, has_v6, connections })
    }

    /// How often it was reached, on its own port or on 443.
    pub(super) fn connections(&self) -> usize {
        let on = |trap: &Self| trap.connections.load(Ordering::SeqCst);
        on(self) + HTTPS.as_ref().map_or(0, on)
    }
}

/// Listeners on every address of both kinds, on one port; a free one for 0.
fn listeners(port: u16) -> Option<(Vec<TcpListener>, u16, bool)> {
    // One socket may serve both kinds, or each needs its own; a port that is free for one may be taken for the other.
    (0..16).find_map(|_| {
        let Ok(v6) = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) else {
            let v4 = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).ok()?;
            let port = v4.local_addr().ok()?.port();
            return Some((vec![v4], port, false));
        };
        let port = v6.local_addr().ok()?.port();
        let v4 = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).ok();
        let is_heard = v4.is_some() || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() && v6.accept().is_ok();
        let has_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        is_heard.then(|| (std::iter::once(v6).chain(v4).collect(), port, has_v6))
    })
}
