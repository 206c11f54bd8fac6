//! The socket that connections arrive at.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system completes while they wait to be accepted; it may allow fewer (`net.core.somaxconn`). `TcpListener::bind`
/// allows 128: when thousands of clients connected at once, the rest were dropped and retried after one second, then three.
const BACKLOG: u32 = 4096;

/// Listens on that address.
///
/// # Errors
/// What the system says: the address is taken, or is not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // A service that starts again takes the address that it had.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
