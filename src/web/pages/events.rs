//! `GET /events`: says that something has changed, so that a page that is open can load its parts again.

use axum::{
    extract::Query,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{answer::Visit, params::Params};
use crate::web::{changes, protect::refusal, streams::Full};

/// `GET /events`.
pub(super) async fn stream(visit: Visit, headers: HeaderMap, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let seen = Params(pairs).get("seen").and_then(changes::read);
    changes::open(visit.app, visit.caller, &headers, seen).unwrap_or_else(|full| {
        let (status, whose) = match full {
            Full::Viewer => (StatusCode::TOO_MANY_REQUESTS, "you have too many pages open"),
            Full::Everybody => (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open"),
        };
        refusal(status, &format!("{whose}, so this one shows no changes on its own"))
    })
}
