//! The bare wire to the service's own listener: one request, one connection.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The status and the rest of the answer, headers included.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    ask(address, "GET", path).await
}

/// The same of a form without fields.
pub(crate) async fn post(address: SocketAddr, path: &str) -> (u16, String) {
    ask(address, "POST", path).await
}

/// An action of the API that is to be done once.
#[cfg(debug_assertions)]
pub(crate) async fn keyed_post(address: SocketAddr, path: &str, key: &str) -> (u16, String) {
    answered(begin_keyed_post(address, path, key).await).await
}

async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    answered(begin(address, method, path).await).await
}

async fn answered(mut stream: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, answer)
}

/// A form without fields, to a service that may not live to answer it.
#[cfg(debug_assertions)]
pub(crate) async fn begin_post(address: SocketAddr, path: &str) -> TcpStream {
    begin(address, "POST", path).await
}

/// An action of the API that is to be done once, of a service that may not live to answer it.
#[cfg(debug_assertions)]
pub(crate) async fn begin_keyed_post(address: SocketAddr, path: &str, key: &str) -> TcpStream {
    begin_with(address, "POST", path, &format!("idempotency-key: {key}\r\n")).await
}

async fn begin(address: SocketAddr, method: &str, path: &str) -> TcpStream {
    begin_with(address, method, path, "").await
}

async fn begin_with(address: SocketAddr, method: &str, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}
