//! What stands behind scores: Graph's `secureScoreControlProfiles` and Defender's `recommendations`.

use axum::body::Body;
use hyper::{Request, Response, body::Incoming};
use serde_json::Value;
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    super::{Reply, listener::Closed},
    RequestKind, State,
    defender::{self, AUDIENCES, GRAPH_AUDIENCES},
    refusal::{GRAPH_ROLE, defender_json},
};

/// What recommendations need ("List all recommendations", permissions).
const RECOMMENDATION_ROLE: &str = "SecurityRecommendation.Read.All";
/// Most rows of one answer ("List all recommendations").
const TOP_MAX: usize = 10_000;
/// What `$filter` is understood of: this, and nothing else.
const CONFIGURATION_FILTER: &str = "remediationType eq 'ConfigurationChange'";

/// A kind of explanation that the API gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guidance {
    Profiles,
    Recommendations,
}

/// What a path asks for, with or without a pinned version.
pub(super) fn served(path: &str) -> Option<Guidance> {
    match path {
        "/v1.0/security/secureScoreControlProfiles" => Some(Guidance::Profiles),
        "/api/recommendations" | "/api/v1.0/recommendations" => Some(Guidance::Recommendations),
        _ => None,
    }
}

pub(super) async fn answer(
    state: &State,
    guidance: Guidance,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let now = (state.settings.now)();
    let (audiences, role) = match guidance {
        Guidance::Profiles => (&GRAPH_AUDIENCES[..], GRAPH_ROLE),
        Guidance::Recommendations => (&AUDIENCES[..], RECOMMENDATION_ROLE),
    };
    let claims = match defender::admit(state, audiences, role, request.headers(), now) {
        Ok(claims) => claims,
        Err(refusal) => {
            let (reply, correlation) = refusal.reply_for(role);
            return super::send_raw(state, RequestKind::Guidance, None, reply, correlation).await;
        }
    };
    let asked = state.tenants.ask(claims.tid, |tenant| {
        tenant.counts.guidance_requests += 1;
        if let Some(reply) = &tenant.guide.reply {
            return reply.clone();
        }
        match guidance {
            Guidance::Profiles => list(&tenant.guide.profiles, request.uri().query()),
            Guidance::Recommendations => list(&tenant.guide.recommendations, request.uri().query()),
        }
    });
    let reply = asked.unwrap_or_else(|| Reply::status(404));
    super::send_raw(state, RequestKind::Guidance, Some(claims.tid), reply, None).await
}

/// A list with what `$filter`, `$skip` and `$top` leave of it. Above the most rows, and for a filter that it does not know: 400.
fn list(items: &[Value], query: Option<&str>) -> Reply {
    let refuse = |why: &str| defender_json(400, "ODataError", why, Uuid::new_v4());
    let (mut top, mut skip, mut only_configuration) = (TOP_MAX, 0, false);
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*key, value.parse::<usize>()) {
            ("$top", Ok(count)) if count <= TOP_MAX => top = count,
            ("$skip", Ok(count)) => skip = count,
            ("$filter", _) if value == CONFIGURATION_FILTER => only_configuration = true,
            _ => return refuse(&format!("The query option `{key}` is not valid.")),
        }
    }
    let is_wanted = |item: &&Value| !only_configuration || item["remediationType"] == "ConfigurationChange";
    let page: Vec<&Value> = items.iter().filter(is_wanted).skip(skip).take(top).collect();
    Reply::json(200, serde_json::json!({ "value": page }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filtered_cut_and_refuses_what_it_does_not_know() {
        let items = [("a", "ConfigurationChange"), ("b", "Update"), ("c", "ConfigurationChange")]
            .map(|(id, kind)| serde_json::json!({ "id": id, "remediationType": kind }));
        for (query, status, ids) in [
            (None, 200, Some("abc")),
            (Some("$filter=remediationType%20eq%20'ConfigurationChange'&$top=1000"), 200, Some("ac")),
            (Some("$top=1&$skip=1"), 200, Some("b")),
            (Some("$top=10001"), 400, None),
            (Some("$filter=status%20eq%20'Active'"), 400, None),
        ] {
            let reply = list(&items, query);
            assert_eq!(reply.seen_status(), Some(status), "{query:?}");
            let Some(ids) = ids else { continue };
            let text = format!("{reply:?}");
            assert!(
                ["a", "b", "c"].iter().all(|id| ids.contains(id) == text.contains(&format!("\\\"id\\\":\\\"{id}"))),
                "{text}"
            );
        }
    }
}
