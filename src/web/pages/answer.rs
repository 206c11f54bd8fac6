//! Answers of pages: a page, a redirection after an action, or a page that says why not.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    chrome::{Chrome, Place},
    engine,
    words::{Clockface, capitalized},
};
use crate::{
    domain::{Caller, Role, Scope},
    query::{self, Candidate},
    store::Store,
    web::app::App,
};

/// Why there is no page.
#[derive(Debug)]
pub(super) struct Refused(Box<Response>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A page, or why there is none.
pub(super) type Answer = Result<Response, Refused>;

/// A request: who asks, and what is asked of.
pub(super) struct Visit {
    pub(super) app: App,
    pub(super) caller: Caller,
    /// What the caller could see before the page was rendered, as a number that changes with it. `None`: not a GET request, or the store
    /// could not be read.
    seen: Option<u64>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let seen = if parts.method == Method::GET { app.seen(&caller.scope).await.ok() } else { None };
        Ok(Self { app: app.clone(), caller, seen })
    }
}

impl Visit {
    /// The clock by which the page shows times.
    pub(super) fn face(&self) -> Clockface {
        Clockface { zone: self.app.config().timezone.clone(), now: self.app.now() }
    }

    /// The store that this process reads.
    pub(super) fn store(&self) -> &dyn Store {
        self.app.store.as_ref()
    }

    /// What the caller may see and act on.
    pub(super) fn scope(&self) -> &Scope {
        &self.caller.scope
    }

    /// Writes a page.
    ///
    /// `template`: its name, which is not that of the place in the navigation. `page`: what it shows.
    pub(super) async fn show(&self, place: Place, title: &str, template: &str, page: &Value) -> Answer {
        self.show_as(StatusCode::OK, place, title, template, page).await
    }

    /// The same with another status.
    pub(super) async fn show_as(
        &self,
        status: StatusCode,
        place: Place,
        title: &str,
        template: &str,
        page: &Value,
    ) -> Answer {
        Ok(self.write(status, place, title, template, page).await)
    }

    async fn write(&self, status: StatusCode, place: Place, title: &str, template: &str, page: &Value) -> Response {
        let chrome = Chrome::of(&self.app, &self.caller, place, title, self.seen).await;
        let written = engine::render(template, page)
            .and_then(|body| engine::render("layout", &json!({ "chrome": chrome, "body": body })));
        match written {
            Ok(html) => html_page(status, html),
            Err(error) => {
                tracing::error!(%error, "a page could not be written");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (status, "The page could not be written. See the log of the service.").into_response()
            }
        }
    }

    /// The page that says why what was asked for has no answer.
    pub(super) async fn refuse(&self, error: &query::Error) -> Refused {
        let (status, title) = match error {
            query::Error::NotFound { .. } | query::Error::NoAlert(_) => (StatusCode::NOT_FOUND, "Not found"),
            query::Error::Ambiguous { .. } => (StatusCode::CONFLICT, "More than one matches"),
            query::Error::Invalid(_) => (StatusCode::BAD_REQUEST, "That can't be done as written"),
            query::Error::Forbidden(_) => (StatusCode::FORBIDDEN, "Not allowed"),
            query::Error::Conflict(_) => (StatusCode::CONFLICT, "That can't be done now"),
            query::Error::Store(_) | query::Error::Failed(_) => {
                tracing::warn!(%error, "a page could not be answered");
                (StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable")
            }
        };
        let candidates = if let query::Error::Ambiguous { candidates, .. } = error { candidates } else { &Vec::new() };
        self.choose(status, title, &sentences(error), candidates).await
    }

    /// A page with a few sentences.
    pub(super) async fn say(&self, status: StatusCode, title: &str, lines: &[String]) -> Refused {
        self.choose(status, title, lines, &[]).await
    }

    /// A page with a few sentences, and what could be meant.
    async fn choose(&self, status: StatusCode, title: &str, lines: &[String], candidates: &[Candidate]) -> Refused {
        let candidate = |one: &Candidate| json!({ "says": one.says, "page": one.page });
        let candidates: Vec<Value> = candidates.iter().map(candidate).collect();
        let page = json!({ "title": title, "lines": lines, "candidates": candidates });
        Refused(Box::new(self.write(status, Place::Nowhere, title, "message", &page).await))
    }

    /// Refuses who may not do what takes that role.
    pub(super) async fn require(&self, role: Role) -> Result<(), Refused> {
        if self.caller.may(role) {
            return Ok(());
        }
        let line = format!("This takes the role `{role}`; you have the role `{}`.", self.caller.role);
        Err(self.say(StatusCode::FORBIDDEN, "You may not do this", &[line]).await)
    }
}

/// What is wrong, a sentence each, with a capital and a full stop.
pub(super) fn sentences(error: &query::Error) -> Vec<String> {
    let lines = match error {
        query::Error::Store(_) => vec!["the store could not be read; try again in a minute".to_owned()],
        query::Error::Ambiguous { what, .. } => vec![what.clone()],
        query::Error::Invalid(problems) => problems.clone(),
        error => vec![error.to_string()],
    };
    lines.iter().map(|line| sentence(line)).collect()
}

/// With a capital and a full stop.
pub(in crate::web) fn sentence(line: &str) -> String {
    let end = if line.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{end}", capitalized(line))
}

fn html_page(status: StatusCode, html: String) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], html).into_response()
}

/// Sends the browser to a page of ours after an action. The name of what was done is shown there.
pub(super) fn see(path: &str, done: &str) -> Response {
    let joint = if path.contains('?') { '&' } else { '?' };
    let location = HeaderValue::from_str(&format!("{path}{joint}done={done}"));
    let location = location.unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Sends the browser to another page of ours.
pub(super) fn go(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
