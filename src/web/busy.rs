//! Keeps people who look at pages, and programs that ask the API, from keeping the service from its work: they read the same store.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{app::App, protect::refusal};

/// How long a request waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);
/// How long a page or an answer may take. An action is always finished.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// Answers a few requests at a time, each for a limited time. A stream of events waits most of the time, so it is not counted.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/events" {
        return next.run(request).await;
    }
    let Ok(Ok(turn)) = tokio::time::timeout(TURN_WAIT, app.turns.clone().acquire_owned()).await else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests are being answered; try again in a moment");
    };
    let answer = if *request.method() == Method::GET {
        tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await
    } else {
        Ok(next.run(request).await)
    };
    drop(turn);
    answer.unwrap_or_else(|_| refusal(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long"))
}
