//! A TCP proxy that fails as networks and gateways do; it stands between the real binary and a simulated receiver.
//!
//! A connection carries one request, so that faults can be scripted request by request. What became of each connection is
//! kept, with a bell for those who wait.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// Between two bytes of [`Fault::Drip`].
const DRIP_PAUSE: Duration = Duration::from_millis(2);
/// What another service on that port would say.
const GARBAGE: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\x01\x02garbage\r\n\r\n";

/// How a connection fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Reset before the request is through.
    ResetEarly,
    /// Reset once the receiver has the request.
    ResetStored,
    /// Accepted, then neither read from nor answered.
    HalfOpen,
    /// The answer comes whole, but one byte at a time.
    Drip,
    /// The answer lacks its last byte, which never comes.
    Stall,
    /// Closed once the receiver has the request, without its answer.
    CloseStored,
    /// Closed in the middle of the answer.
    CutAnswer,
    /// Answered by what is not HTTP; the receiver hears nothing.
    Garbage,
}

impl Fault {
    /// Whether the receiver gets the request though the sender may not learn it.
    pub(crate) const fn stores(self) -> bool {
        matches!(self, Self::ResetStored | Self::Drip | Self::Stall | Self::CloseStored | Self::CutAnswer)
    }
}

/// What became of one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    /// `None`: it was handed through.
    pub(crate) fault: Option<Fault>,
    /// Whether the receiver got the request.
    pub(crate) stored: bool,
}

/// A proxy before one receiver; dropping it closes everything.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    /// Bound but not listening: whoever connects is refused.
    closed: Mutex<Option<TcpSocket>>,
    accepting: Mutex<Option<AbortHandle>>,
}

struct State {
    upstream: String,
    /// The faults of the next connections, then of all further ones.
    script: Mutex<(VecDeque<Fault>, Option<Fault>)>,
    passed: watch::Sender<Vec<Passed>>,
}

impl Proxy {
    /// A proxy before that URL's host which refuses every connection until it is opened.
    pub(crate) fn closed(url: &str) -> Self {
        let upstream = url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            state: Arc::new(State { upstream, script: Mutex::default(), passed: watch::Sender::default() }),
            closed: Mutex::new(Some(socket)),
            accepting: Mutex::default(),
        }
    }

    /// A proxy before that URL's host.
    pub(crate) fn before(url: &str) -> Self {
        let proxy = Self::closed(url);
        proxy.open();
        proxy
    }

    /// Lets connections through again.
    pub(crate) fn open(&self) {
        let listener = self.closed.lock().unwrap().take().unwrap().listen(1024).unwrap();
        let accepting = tokio::spawn(accept(listener, self.state.clone())).abort_handle();
        *self.accepting.lock().unwrap() = Some(accepting);
    }

    /// That URL by way of the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(&self.state.upstream, &self.address.to_string())
    }

    /// Fails the next connections so, one each.
    pub(crate) fn script(&self, faults: &[Fault]) {
        self.state.script.lock().unwrap().0.extend(faults);
    }

    /// Fails all connections so that no script is for; `None`: hands them through.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        self.state.script.lock().unwrap().1 = fault;
    }

    /// What became of each connection so far, oldest first.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.state.passed.borrow().clone()
    }

    /// Waits until `enough` holds of what became of the connections.
    pub(crate) async fn wait_for(&self, mut enough: impl FnMut(&[Passed]) -> bool) {
        // The sender lives as long as the proxy.
        let _ = self.state.passed.subscribe().wait_for(|passed| enough(passed)).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
        }
    }
}

impl State {
    fn next(&self) -> Option<Fault> {
        let mut script = self.script.lock().unwrap();
        let health = script.1;
        script.0.pop_front().or(health)
    }

    /// Recorded before the sender can learn it, so that whoever sees the sender react finds it here.
    fn note(&self, fault: Option<Fault>, stored: bool) {
        self.passed.send_modify(|passed| passed.push(Passed { fault, stored }));
    }

    async fn serve(&self, mut sender: TcpStream) -> io::Result<()> {
        sender.set_nodelay(true)?;
        let fault = self.next();
        match fault {
            Some(Fault::ResetEarly) => {
                sender.read_u8().await?;
                self.note(fault, false);
                return sender.set_zero_linger();
            }
            Some(Fault::HalfOpen) => {
                self.note(fault, false);
                return std::future::pending().await;
            }
            _ => {}
        }
        let request = read_request(&mut sender).await?;
        if fault == Some(Fault::Garbage) {
            self.note(fault, false);
            return sender.write_all(GARBAGE).await;
        }
        let answer = self.forward(&request).await?;
        self.note(fault, true);
        match fault {
            Some(Fault::ResetStored) => sender.set_zero_linger(),
            Some(Fault::CloseStored) => Ok(()),
            Some(Fault::CutAnswer) => sender.write_all(&answer[..answer.len() / 2]).await,
            Some(Fault::Stall) => {
                sender.write_all(&answer[..answer.len() - 1]).await?;
                std::future::pending().await
            }
            Some(Fault::Drip) => {
                for byte in &answer {
                    sender.write_all(std::slice::from_ref(byte)).await?;
                    tokio::time::sleep(DRIP_PAUSE).await;
                }
                Ok(())
            }
            _ => sender.write_all(&answer).await,
        }
    }

    /// Hands the request to the receiver and reads its whole answer.
    async fn forward(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut receiver = TcpStream::connect(&self.upstream).await?;
        receiver.write_all(request).await?;
        let mut answer = Vec::new();
        receiver.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Owns the connections, so that aborting it closes them.
    let mut connections = JoinSet::new();
    while let Ok((sender, _)) = listener.accept().await {
        let state = state.clone();
        // An error is a sender that gave up.
        connections.spawn(async move { state.serve(sender).await });
    }
}

/// A whole request, whose connection is not to be used again.
async fn read_request(sender: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if sender.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while request.len() < head + 4 + length {
        if sender.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.splice(head..head, *b"\r\nconnection: close");
    Ok(request)
}
