//! Keeps people who look at pages, and programs that ask the API, from keeping the service from its work: they read the same store.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{app::App, limits::Group, protect::refusal};

/// How long a request waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);
/// How long a page or an answer may take. An action is always finished.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// Answers a few requests at a time, each for a limited time. A stream of events waits most of the time, so it is not counted.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if Group::of(request.uri().path()) == Group::Stream {
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
    answer.unwrap_or_else(|_| {
        refusal(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long; ask for less, or try again in a minute")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, body::Body, middleware, routing::get};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use tokio::sync::watch;

    use super::*;
    use crate::{clock::Clock, domain::Timestamp, store::sqlite::SqliteStore, web::tests::config_of};

    #[tokio::test]
    async fn a_request_waits_for_its_turn_and_a_stream_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
        let (_, config) = watch::channel(config_of("timezone: UTC\n"));
        let app = App::new(store, Clock::manual(Timestamp::EPOCH), config);
        let routes = Router::new().route("/", get(async || "here")).route("/events", get(async || "stream"));
        let routes = routes.route("/api/v1/events", get(async || "stream"));
        let routes = routes.layer(middleware::from_fn_with_state(app.clone(), admit));
        let ask = async |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            TowerToHyperService::new(routes.clone()).call(request).await.unwrap().status()
        };
        tokio::time::pause();
        let turns = app.turns.available_permits();
        let all = app.turns.acquire_many(u32::try_from(turns).unwrap()).await.unwrap();
        assert_eq!(ask("/").await, StatusCode::SERVICE_UNAVAILABLE);
        for stream in ["/events", "/api/v1/events"] {
            assert_eq!(ask(stream).await, StatusCode::OK, "{stream}");
        }
        drop(all);
        assert_eq!(ask("/").await, StatusCode::OK);
        assert_eq!(app.turns.available_permits(), turns, "and gives it back");
    }
}
