//! One route: what it is called, who may use it, what it is asked and answers, and the function that does it. The router and the
//! `OpenAPI` document are both made of these, and the types of a handler are its schemas.

use std::{collections::BTreeMap, fmt, future::Future, net::SocketAddr, num::NonZeroU32, pin::Pin, sync::Arc};

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    cursor,
    input::{self, Input},
    problem::{BAD_REQUEST, FAILED, Problem},
};
use crate::{
    config::{Config, reload::Rejected},
    domain::{Caller, Role, Timestamp},
    query::{self, fleet, report::Asker},
    store::Store,
    web::app::App,
};

/// The most items of a page.
pub(super) const LIMIT_MAX: u32 = 1000;
/// The items of a page unless the request says otherwise.
const LIMIT: u32 = 100;

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) enum Method {
    /// A question: it changes nothing.
    Get,
    /// An action, which is recorded.
    Post,
}

impl Method {
    pub(in crate::web) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a handler is called with.
pub(super) struct Call<I> {
    /// The store of the service.
    pub(super) store: Arc<dyn Store>,
    /// The configuration in force when the request came.
    pub(super) config: Arc<Config>,
    /// The configuration that was rejected last, if none was accepted since.
    pub(super) rejected: Option<Rejected>,
    /// What was last read of the fleet's samples.
    pub(super) fleet: Arc<fleet::Memory>,
    /// What Microsoft is asked with.
    pub(super) asker: Asker,
    /// Turns of backtests.
    pub(super) replays: Arc<Semaphore>,
    /// The address at which connections arrive, if it is known.
    pub(super) address: Option<SocketAddr>,
    /// When the request came.
    pub(super) now: Timestamp,
    /// The caller, whose scope and role decide.
    pub(super) caller: Caller,
    /// What the path says, by the names in braces.
    pub(super) path: BTreeMap<String, String>,
    /// The query or the body.
    pub(super) input: I,
}

impl<I> Call<I> {
    /// The part of the path with that name in braces.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The same call, asked something else.
    pub(super) fn map<J>(self, read: impl FnOnce(I) -> Result<J, Problem>) -> Result<Call<J>, Problem> {
        let Self { store, config, rejected, fleet, asker, replays, address, now, caller, path, input } = self;
        Ok(Call { store, config, rejected, fleet, asker, replays, address, now, caller, path, input: read(input)? })
    }
}

/// What a route answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
}

/// What can be an answer: any value as JSON, or a file.
pub(super) trait Answers: Send + 'static {
    /// The media type of the answer.
    const MEDIA_TYPE: &'static str;
    /// The schema of the body.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    /// Writes the answer in its media type.
    fn write(self) -> Result<Answer, Problem>;
}

impl<T: Serialize + JsonSchema + Send + 'static> Answers for T {
    const MEDIA_TYPE: &'static str = "application/json";

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    fn write(self) -> Result<Answer, Problem> {
        let body = serde_json::to_vec(&self).map_err(|error| {
            tracing::warn!(%error, "an answer of the API can't be written");
            Problem::new(FAILED)
        })?;
        Ok(Answer { media_type: Self::MEDIA_TYPE, body: body.into() })
    }
}

/// A table as CSV (RFC 4180).
pub(super) struct Csv(pub(super) Vec<u8>);

impl Answers for Csv {
    const MEDIA_TYPE: &'static str = "text/csv; charset=utf-8";

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }

    fn write(self) -> Result<Answer, Problem> {
        Ok(Answer { media_type: Self::MEDIA_TYPE, body: self.0.into() })
    }
}

/// Some items of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(super) struct Items<T> {
    /// The items, in the list's order.
    items: Vec<T>,
    /// What to pass as `after` to get the items that follow; null: there are no more.
    next: Option<String>,
}

impl<T> Items<T> {
    /// A list that fits on one page.
    pub(super) const fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A part of a list that is sorted by names: those behind the cursor, all of them unless there is a limit.
    pub(super) fn part(
        mut items: Vec<T>,
        limit: Option<u32>,
        after: Option<&str>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Self, Problem> {
        let page = page::<String>(limit, after)?;
        if let Some(after) = &page.after {
            items.retain(|item| name(item) > after.as_str());
        }
        let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let is_cut = items.len() > most;
        items.truncate(most);
        let next = items.last().filter(|_| is_cut).map(|last| cursor::write(&name(last)));
        Ok(Self { items, next })
    }

    pub(super) fn of<C: Serialize>(listing: query::Listing<T, C>) -> Self {
        Self { items: listing.items, next: listing.next.as_ref().map(cursor::write) }
    }
}

/// The page that `limit` and `after` of a query mean.
pub(super) fn page<C: DeserializeOwned>(limit: Option<u32>, after: Option<&str>) -> Result<query::Page<C>, Problem> {
    let unreadable = || {
        let error = "`after` is not a cursor; pass what `next` of the page before says";
        Problem::of_errors(BAD_REQUEST, vec![error.to_owned()])
    };
    let after = after.map(|text| cursor::read(text).ok_or_else(unreadable)).transpose()?;
    Ok(query::Page { limit: NonZeroU32::new(limit.unwrap_or(LIMIT)), after })
}

/// What was asked and is not read yet.
pub(super) type Raw = Call<Value>;
pub(super) type Handling = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// What a stream is opened with, beside its call.
pub(super) struct Opening<'a> {
    pub(super) app: App,
    pub(super) headers: &'a HeaderMap,
}

/// How a stream is opened.
type Open = Box<dyn for<'a> Fn(Raw, Opening<'a>) -> Result<Response, Problem> + Send + Sync>;

/// Media type of a stream of events ("HTML", section "Server-sent events").
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The input of a handler's type.
fn input_of<I: Input>(value: Value) -> Result<I, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::of_errors(BAD_REQUEST, vec![error.to_string()]))
}

/// A route of the API: its path, what it reads and answers, and who may call it.
pub(in crate::web) struct Route {
    pub(in crate::web) method: Method,
    /// The path below `/api/v1`, with its parameters in braces.
    pub(in crate::web) path: &'static str,
    /// Its name for programs that are made from the document.
    pub(in crate::web) operation: &'static str,
    pub(super) summary: &'static str,
    /// What it takes to use it.
    pub(in crate::web) role: Role,
    /// Whether it takes a caller who is not limited to some tenants.
    pub(super) is_without_limits: bool,
    /// Whether its answer is a secret, which is kept nowhere.
    pub(super) is_secret: bool,
    /// Whether it does several things, each in a transaction of its own.
    pub(super) is_in_steps: bool,
    /// The status of success.
    pub(super) success: StatusCode,
    /// What it is asked.
    pub(super) input: Schema,
    /// The schema of its answer.
    pub(super) output: fn(&mut SchemaGenerator) -> Schema,
    pub(super) media_type: &'static str,
    handler: Box<dyn Fn(Raw) -> Handling + Send + Sync>,
    /// How it is opened; `None`: it is no stream, and its handler answers.
    open: Option<Open>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)
    }
}

impl Route {
    /// Whether its input has something that can't be left out.
    pub(super) fn must_say_something(&self) -> bool {
        self.input.get("required").and_then(serde_json::Value::as_array).is_some_and(|names| !names.is_empty())
    }

    fn new<I, T, F, H>(method: Method, role: Role, path: &'static str, operation: &'static str, handler: H) -> Self
    where
        I: Input,
        T: Answers,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        H: Fn(Call<I>) -> F + Send + Sync + Clone + 'static,
    {
        let handle = move |raw: Raw| -> Handling {
            let handler = handler.clone();
            Box::pin(async move { handler(raw.map(input_of)?).await?.write() })
        };
        Self {
            method,
            path,
            operation,
            summary: "",
            role,
            is_without_limits: false,
            is_secret: false,
            is_in_steps: false,
            success: StatusCode::OK,
            input: input::schema::<I>(),
            output: T::schema,
            media_type: T::MEDIA_TYPE,
            handler: Box::new(handle),
            open: None,
        }
    }

    /// A route that reads.
    pub(super) fn get<I, T, F, H>(path: &'static str, operation: &'static str, handler: H) -> Self
    where
        I: Input,
        T: Answers,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        H: Fn(Call<I>) -> F + Send + Sync + Clone + 'static,
    {
        Self::new(Method::Get, Role::Viewer, path, operation, handler)
    }

    /// A route that answers with a stream of events, which stays open.
    pub(super) fn stream<I: Input>(
        path: &'static str,
        operation: &'static str,
        open: fn(Call<I>, Opening<'_>) -> Result<Response, Problem>,
    ) -> Self {
        let nothing = |_: Call<I>| async { Err::<String, _>(Problem::new(FAILED)) };
        let open = move |raw: Raw, opening: Opening<'_>| open(raw.map(input_of)?, opening);
        Self {
            media_type: EVENT_STREAM,
            open: Some(Box::new(open)),
            ..Self::new(Method::Get, Role::Viewer, path, operation, nothing)
        }
    }

    /// A route that acts.
    pub(super) fn post<I, T, F, H>(role: Role, path: &'static str, operation: &'static str, handler: H) -> Self
    where
        I: Input,
        T: Answers,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        H: Fn(Call<I>) -> F + Send + Sync + Clone + 'static,
    {
        Self::new(Method::Post, role, path, operation, handler)
    }

    /// The same, with a sentence about it.
    pub(super) const fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The same, which takes that role.
    pub(super) const fn takes(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The same, which takes a caller who is not limited to some tenants.
    pub(super) const fn without_limits(mut self) -> Self {
        self.is_without_limits = true;
        self
    }

    /// The same, which does several things, each in a transaction of its own. If the first of them is done, the request is not begun again
    /// for the same `Idempotency-Key`.
    pub(super) const fn in_steps(mut self) -> Self {
        self.is_in_steps = true;
        self
    }

    /// The same, whose answer is a secret: it is not recorded, so a repeated request with the same `Idempotency-Key` is refused.
    pub(super) const fn answers_a_secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// The same, whose success has another status than 200.
    pub(super) const fn with_status(mut self, success: StatusCode) -> Self {
        self.success = success;
        self
    }

    /// The names in braces.
    pub(in crate::web) fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether it answers with a stream, which stays open.
    pub(super) const fn is_stream(&self) -> bool {
        self.open.is_some()
    }

    /// Opens it, if it is a stream.
    pub(super) fn open(&self, raw: Raw, opening: Opening<'_>) -> Result<Response, Problem> {
        self.open.as_ref().map_or_else(|| Err(Problem::new(FAILED)), |open| open(raw, opening))
    }

    pub(super) fn handle(&self, raw: Raw) -> Handling {
        (self.handler)(raw)
    }
}

/// The query of a list that has no filters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
}
