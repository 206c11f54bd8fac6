//! A HashiCorp Vault with one key/value engine, as strict as the real one about what it is asked and by whom.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Json, Response},
};
use serde_json::json;

/// A running Vault; it ends with the test's runtime.
pub(crate) struct Vault {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    token: String,
    /// The field `value` of each secret, by path.
    secrets: HashMap<String, String>,
    is_sealed: bool,
    reads: usize,
}

impl Vault {
    pub(crate) async fn start(token: &str) -> Self {
        let state = Arc::new(Mutex::new(State { token: token.to_owned(), ..State::default() }));
        let shared = Arc::clone(&state);
        let app = Router::new().fallback(move |request: Request| {
            let answer = shared.lock().unwrap().answer(&request);
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, state }
    }

    /// The store's entry under `secret_stores:`; the token lies in `secrets/vault-token`.
    pub(crate) fn yaml(&self) -> String {
        format!(
            "{{ type: vault, address: \"http://{}\", allow_private: [127.0.0.0/8], token: {{ file: secrets/vault-token }} }}",
            self.address
        )
    }

    pub(crate) fn set(&self, path: &str, value: &str) {
        self.state.lock().unwrap().secrets.insert(path.to_owned(), value.to_owned());
    }

    pub(crate) fn seal(&self, is_sealed: bool) {
        self.state.lock().unwrap().is_sealed = is_sealed;
    }

    /// How many secrets were given.
    pub(crate) fn reads(&self) -> usize {
        self.state.lock().unwrap().reads
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        let refuse = |status: StatusCode, errors: &[&str]| (status, Json(json!({ "errors": errors }))).into_response();
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if self.is_sealed {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, &["Vault is sealed"]);
        }
        if header("x-vault-request") != Some("true") || header("x-vault-token") != Some(&self.token) {
            return refuse(StatusCode::FORBIDDEN, &["permission denied"]);
        }
        let path = request.uri().path().strip_prefix("/v1/secret/data/").filter(|_| request.method() == Method::GET);
        let Some(value) = path.and_then(|path| self.secrets.get(path)) else {
            return refuse(StatusCode::NOT_FOUND, &[]);
        };
        self.reads += 1;
        let metadata = json!({ "version": 1, "deletion_time": "", "destroyed": false });
        Json(json!({ "data": { "data": { "value": value }, "metadata": metadata } })).into_response()
    }
}
