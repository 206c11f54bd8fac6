//! What the service reports to systemd, or whoever else set `NOTIFY_SOCKET` (`sd_notify(3)`). Without one, nothing is sent.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tracing::debug;

/// Where messages to systemd go.
const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";
/// How often systemd wants to hear from the watchdog, in microseconds.
const WATCHDOG_USEC: &str = "WATCHDOG_USEC";
/// Whom it wants to hear from.
const WATCHDOG_PID: &str = "WATCHDOG_PID";

/// Whether [`ready`] was said.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The service is ready.
pub fn ready() {
    IS_READY.store(true, Ordering::Relaxed);
    send("READY=1");
}

/// The configuration was read again, after [`reloading`].
pub fn reloaded() {
    if IS_READY.load(Ordering::Relaxed) {
        send("READY=1");
    }
}

/// The configuration is being read again.
pub fn reloading() {
    send("RELOADING=1");
}

/// The service is stopping.
pub fn stopping() {
    send("STOPPING=1");
}

/// The service does its work.
pub fn feed_watchdog() {
    send("WATCHDOG=1");
}

/// The interval in which systemd expects a sign that the service works; `None`: it expects none.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    if number(WATCHDOG_PID).is_some_and(|pid| pid != u64::from(std::process::id())) {
        return None;
    }
    number(WATCHDOG_USEC).filter(|interval| *interval > 0).map(Duration::from_micros)
}

fn send(state: &str) {
    let Some(socket) = env::var_os(NOTIFY_SOCKET).filter(|socket| !socket.is_empty()) else { return };
    if let Err(error) = send_to(socket.as_bytes(), state) {
        debug!(%error, state, "systemd could not be notified");
    }
}

/// A name that begins with `@` is abstract. Never blocks: a queue that is full loses the message.
fn send_to(socket: &[u8], state: &str) -> io::Result<()> {
    let address = match socket.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))?,
    };
    let datagram = UnixDatagram::unbound()?;
    datagram.set_nonblocking(true)?;
    datagram.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reaches_a_socket_by_path_and_an_abstract_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("scorewatch-test-{}", std::process::id());
        let by_name = SocketAddr::from_abstract_name(abstract_name.as_bytes()).unwrap();
        for (socket, name) in [
            (UnixDatagram::bind(&path).unwrap(), path.as_os_str().as_bytes().to_vec()),
            (UnixDatagram::bind_addr(&by_name).unwrap(), format!("@{abstract_name}").into_bytes()),
        ] {
            send_to(&name, "READY=1").unwrap();
            let mut said = [0; 16];
            let length = socket.recv(&mut said).unwrap();
            assert_eq!(&said[..length], b"READY=1");
        }
        assert!(send_to(b"/no/such/socket", "READY=1").is_err());
    }
}
