//! An Azure Key Vault: `GET /secrets/{name}?api-version=7.4` under a token for the vault's own resource ("Get Secret").

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::body::Body;
use hyper::{Request, Response, body::Incoming, header::AUTHORIZATION};
use serde_json::json;

use super::{
    super::{Reply, listener::Closed},
    RequestKind, State,
};

/// What a vault's tokens are for.
const AUDIENCE: &str = "https://vault.azure.net";

/// The secrets by name, each with when it expires, in seconds.
#[derive(Debug, Default)]
pub(super) struct Secrets(Mutex<HashMap<String, (String, Option<i64>)>>);

impl Secrets {
    pub(super) fn set(&self, name: &str, value: &str, expires: Option<i64>) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.to_owned(), (value.to_owned(), expires));
    }

    fn get(&self, name: &str) -> Option<(String, Option<i64>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

pub(super) async fn answer(state: &State, name: &str, request: &Request<Incoming>) -> Result<Response<Body>, Closed> {
    let token = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| state.tokens.read(token));
    let is_admitted = claims
        .as_ref()
        .is_some_and(|claims| claims.aud == AUDIENCE && claims.exp > (state.settings.now)().as_seconds());
    let refuse = |status: u16, code: &str| Reply::json(status, json!({ "error": { "code": code } }).to_string());
    let reply = match state.key_vault.get(name) {
        _ if !is_admitted => refuse(401, "Unauthorized"),
        _ if request.uri().query() != Some("api-version=7.4") => refuse(400, "BadParameter"),
        None => refuse(404, "SecretNotFound"),
        Some((value, expires)) => {
            let attributes = json!({ "enabled": true, "exp": expires });
            Reply::json(200, json!({ "value": value, "attributes": attributes }).to_string())
        }
    };
    super::send_raw(state, RequestKind::Other, claims.map(|claims| claims.tid), reply, None).await
}
