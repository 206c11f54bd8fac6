//! A provider of OpenID Connect that takes no client secret and repeats every secret in its refusal.

use std::net::SocketAddr;

use axum::{
    Router,
    http::StatusCode,
    response::Json,
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::sinks::{Sink, sink};

/// The name of the client's secret among the kinds.
pub(super) const SECRET: &str = "oidc-client-secret";

/// The address that the service has for people; the test asks it over loopback.
const PUBLIC: &str = "public_url: https://localhost\n";

/// Starts it; what it answers to a code is `refusal`. It ends with the test's runtime.
pub(super) async fn start(refusal: String) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let base = format!("http://{address}");
    let document = json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"), "token_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    let refused = json!({ "error": "invalid_client", "error_description": refusal, "error_uri": refusal });
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(async move || Json(document)))
        .route("/keys", get(async || Json(json!({ "keys": [] }))))
        .route("/token", post(async move || (StatusCode::UNAUTHORIZED, Json(refused))));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

/// The part of the main file that is about it. Nobody has to sign in, so that pages show what they have.
pub(super) fn yaml(provider: SocketAddr) -> String {
    format!(
        "{PUBLIC}access: {{ sign_in: never, oidc: {{ issuer: \"http://{provider}\", client_id: scorewatch, \
         client_secret: {{ file: secrets/{SECRET} }}, allow_private: [127.0.0.0/8], \
         grants: [{{ group: soc, role: viewer, tenants: all }}] }} }}\n"
    )
}

/// The main file without the part that a broken one has as well.
pub(super) fn without_public_url(text: &str) -> String {
    text.replacen(PUBLIC, "", 1)
}

/// What somebody sees who tries to sign in.
pub(super) async fn sign_in(service: SocketAddr) -> Vec<Sink> {
    let begun = ask(service, "/sign-in/oidc?to=/", "").await;
    let line = |name: &str| begun.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{begun}"));
    let cookie = line("set-cookie: ").split(';').next().unwrap().to_owned();
    let state = line("location: ").split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let path = format!("/sign-in/oidc/callback?code=a-code&state={state}");
    let refused = ask(service, &path, &format!("cookie: {cookie}\r\n")).await;
    vec![sink("page /sign-in/oidc", begun), sink("page /sign-in/oidc/callback", refused)]
}

async fn ask(service: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(service).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {service}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
