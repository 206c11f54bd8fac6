//! What the API can be asked, without HTTP: for who runs in the same process.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::{
    input::{of_query, parameters},
    problem::{self, Problem},
    route::{Answers as _, Method, Raw, Route},
    serve::TIME_MAX,
};
use crate::{domain::Caller, web::app::App};

/// A question, as a program needs to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question's name, which is that of its tool.
    pub name: &'static str,
    /// What the question answers, in a sentence.
    pub description: &'static str,
    /// The JSON Schema of what it is asked.
    pub schema: Value,
}

/// Everything that the API can be asked and that is answered as JSON, for one caller.
pub struct Questions {
    routes: Vec<Route>,
    app: App,
    caller: Caller,
}

impl Questions {
    pub(super) fn new(routes: Vec<Route>, app: App, caller: Caller) -> Self {
        let is_question = |route: &Route| {
            // Who has access is nothing that an assistant needs to know.
            let is_open = !route.is_without_limits && route.path != super::DOCUMENT;
            route.method == Method::Get && route.media_type == Value::MEDIA_TYPE && is_open
        };
        Self { routes: routes.into_iter().filter(is_question).collect(), app, caller }
    }

    /// What can be asked.
    #[must_use]
    pub fn all(&self) -> Vec<Question> {
        self.routes.iter().map(question).collect()
    }

    /// Asks. `None`: there is no such question. An error is a problem as in RFC 9457.
    pub async fn ask(&self, name: &str, arguments: &Map<String, Value>) -> Option<Result<Value, Value>> {
        let route = self.routes.iter().find(|route| route.operation == name)?;
        let answer = tokio::time::timeout(TIME_MAX, self.answer(route, arguments)).await;
        let late = |_: tokio::time::error::Elapsed| Err(late(TIME_MAX));
        Some(answer.unwrap_or_else(late).map_err(|problem| serde_json::to_value(problem).unwrap_or_default()))
    }

    async fn answer(&self, route: &Route, arguments: &Map<String, Value>) -> Result<Value, Problem> {
        let (path, input) = read(route, arguments)?;
        let App { store, fleet, .. } = self.app.clone();
        let (config, now, caller) = (self.app.config(), self.app.now(), self.caller.clone());
        let (asker, replays, address) = (self.app.asker.clone(), self.app.replays.clone(), self.app.address);
        let raw = Raw {
            store,
            config,
            rejected: self.app.rejected(),
            fleet,
            asker,
            replays,
            address,
            now,
            caller,
            path,
            input,
        };
        let answer = route.handle(raw).await?;
        serde_json::from_slice(&answer.body).map_err(|_| Problem::new(problem::FAILED))
    }
}

fn late(limit: Duration) -> Problem {
    Problem::because(problem::UNAVAILABLE, format!("there was no answer within {} s", limit.as_secs()))
}

fn question(route: &Route) -> Question {
    let of_path = route.path_names().map(|name| (name.to_owned(), json!({ "type": "string" })));
    let properties: Map<String, Value> = of_path.chain(parameters(&route.input)).collect();
    let of_input = route.input.get("required").and_then(Value::as_array).into_iter().flatten();
    let of_input = of_input.filter_map(Value::as_str).map(str::to_owned);
    let required: Vec<String> = route.path_names().map(str::to_owned).chain(of_input).collect();
    let schema =
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    Question { name: route.operation, description: route.summary, schema }
}

/// The parts of the path and the query that the arguments say.
fn read(route: &Route, arguments: &Map<String, Value>) -> Result<(BTreeMap<String, String>, Value), Problem> {
    let invalid = |errors| Problem::of_errors(problem::BAD_REQUEST, errors);
    let mut path = BTreeMap::new();
    for name in route.path_names() {
        let text = arguments.get(name).and_then(Value::as_str);
        let text = text.ok_or_else(|| invalid(vec![format!("`{name}` is missing or is not text")]))?;
        path.insert(name.to_owned(), text.to_owned());
    }
    let mut query = Serializer::new(String::new());
    for (name, value) in arguments.iter().filter(|(name, _)| !path.contains_key(*name)) {
        let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter(|value| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            query.append_pair(name, &text);
        }
    }
    Ok((path, of_query(&route.input, &query.finish()).map_err(invalid)?))
}
