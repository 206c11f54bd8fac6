//! What the API answers when it does not do what was asked: RFC 9457 ("Problem Details for HTTP APIs").

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{query, web::protect::Why};

/// Media type of a problem (RFC 9457, section 3).
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// After how many seconds it is worth asking again.
const RETRY_AFTER_S: u64 = 5;

/// Why a request was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(in crate::web) struct Problem {
    /// Which kind of problem, for programs: `urn:scorewatch:problem:NAME`. These never change.
    r#type: String,
    /// The same in words.
    title: &'static str,
    /// The HTTP status of the answer.
    pub(super) status: u16,
    /// What happened in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Box<str>>,
    /// Everything that is wrong with the request, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    /// What an ambiguous name can mean, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<String>,
    // Small, as it is the other outcome of everything here.
    #[serde(skip)]
    headers: Box<HeaderMap>,
}

/// A kind of problem: its status, its name, and its title.
pub(super) struct Kind(pub(super) StatusCode, pub(super) &'static str, pub(super) &'static str);

pub(super) const BAD_REQUEST: Kind = Kind(StatusCode::BAD_REQUEST, "bad-request", "The request can't be read");
pub(super) const UNAUTHENTICATED: Kind =
    Kind(StatusCode::UNAUTHORIZED, "unauthenticated", "Authentication is required");
pub(super) const FORBIDDEN: Kind = Kind(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this");
pub(super) const NOT_FOUND: Kind = Kind(StatusCode::NOT_FOUND, "not-found", "Not found");
pub(super) const METHOD_NOT_ALLOWED: Kind =
    Kind(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This path does not support the method");
pub(super) const TIMED_OUT: Kind = Kind(StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request took too long");
pub(super) const CONFLICT: Kind = Kind(StatusCode::CONFLICT, "conflict", "The present state does not allow this");
pub(super) const AMBIGUOUS: Kind = Kind(StatusCode::CONFLICT, "ambiguous", "The name can mean several things");
pub(super) const IN_PROGRESS: Kind =
    Kind(StatusCode::CONFLICT, "in-progress", "A request with this idempotency key is in progress");
pub(super) const DONE_BEFORE: Kind =
    Kind(StatusCode::CONFLICT, "done-before", "The request was fulfilled before, and its answer is not known");
pub(super) const TOO_LARGE: Kind = Kind(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large");
pub(super) const NOT_JSON: Kind =
    Kind(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be `application/json`");
pub(super) const INVALID: Kind = Kind(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request makes no sense");
pub(super) const KEY_REUSED: Kind =
    Kind(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "The idempotency key belongs to another request");
pub(super) const TOO_MANY: Kind = Kind(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests");
pub(super) const FAILED: Kind = Kind(StatusCode::INTERNAL_SERVER_ERROR, "failed", "Something failed");
pub(super) const UNAVAILABLE: Kind =
    Kind(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is temporarily unavailable");

impl Problem {
    pub(super) fn new(Kind(status, name, title): Kind) -> Self {
        let mut headers = HeaderMap::new();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_S.into());
        }
        Self {
            r#type: format!("urn:scorewatch:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            candidates: Vec::new(),
            headers: Box::new(headers),
        }
    }

    /// The same, and what happened.
    pub(super) fn because(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into().into_boxed_str()), ..Self::new(kind) }
    }

    /// The request is wrong in these ways.
    pub(super) fn of_errors(kind: Kind, errors: Vec<String>) -> Self {
        Self { errors, ..Self::new(kind) }
    }

    pub(super) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Whether trying the same again may succeed.
    pub(super) const fn is_ours(&self) -> bool {
        self.status >= 500
    }

    /// What a guard of every route answered, as the API says it.
    pub(super) fn of_response(response: &Response) -> Self {
        let kind = match response.status() {
            StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
            StatusCode::FORBIDDEN => FORBIDDEN,
            StatusCode::TOO_MANY_REQUESTS => TOO_MANY,
            status if status.is_client_error() => BAD_REQUEST,
            _ => UNAVAILABLE,
        };
        let why = response.extensions().get::<Why>().map(|Why(why)| why.clone());
        let mut problem = match why {
            Some(why) => Self::because(kind, why),
            None => Self::new(kind),
        };
        for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
            if let Some(value) = response.headers().get(&name) {
                problem.headers.insert(name, value.clone());
            }
        }
        problem
    }
}

impl From<query::Error> for Problem {
    fn from(error: query::Error) -> Self {
        use query::Error;
        match error {
            Error::NotFound { .. } | Error::NoAlert(_) => Self::because(NOT_FOUND, error.to_string()),
            Error::Ambiguous { what, candidates } => {
                let candidates = candidates.into_iter().map(|candidate| candidate.says).collect();
                Self { candidates, ..Self::because(AMBIGUOUS, what) }
            }
            Error::Invalid(errors) => Self::of_errors(INVALID, errors),
            Error::Forbidden(what) => Self::because(FORBIDDEN, what),
            Error::Conflict(what) => Self::because(CONFLICT, what),
            Error::Store(error) => {
                tracing::warn!(%error, "a request to the API could not be answered");
                Self::because(UNAVAILABLE, "the store can't be read or written; the service's log says why")
            }
            Error::Failed(error) => {
                tracing::warn!(%error, "a request to the API failed");
                Self::because(FAILED, "the service's log says why")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = std::mem::take(&mut *self.headers);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, headers, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
    }
}
