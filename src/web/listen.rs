//! The socket that connections arrive at.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system finishes for us while we accept others; it may allow fewer (`net.core.somaxconn`). Beyond 128, the number
/// that `TcpListener::bind` sets, what thousands of clients ask for at once was dropped, and whoever was among them tried again only after
/// one second, then after three.
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
