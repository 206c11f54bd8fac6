//! The scores of Defender for Endpoint, and Graph's `GET /v1.0/security/secureScores`.

use axum::body::Body;
use hyper::{
    HeaderMap, Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};

use super::{
    super::{Reply, listener::Closed},
    DefenderRefusal, RequestKind, State,
    refusal::{GRAPH_ROLE, ROLE},
    score::score_json,
    token::Claims,
};
use crate::domain::{ScoreKind, Timestamp};

/// How a call of a score is answered.
#[derive(Debug, Clone)]
pub enum Fetch {
    /// As usual: the score for who has a good token.
    Usual,
    /// With that error, though the token is good.
    Refuse(DefenderRefusal),
    /// With that, though the token is good.
    Raw(Reply),
}

/// Audiences that Defender takes a token for, in its various clouds.
pub(super) const AUDIENCES: [&str; 4] = [
    "https://api.securitycenter.microsoft.com",
    "https://securitycenter.onmicrosoft.com/windowsatpservice",
    "https://api-gcc.securitycenter.microsoft.us",
    "https://api-gov.securitycenter.microsoft.us",
];

/// The same of Graph.
pub(super) const GRAPH_AUDIENCES: [&str; 3] =
    ["https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us"];

/// How many records `$top` asks for.
fn top(query: Option<&str>) -> usize {
    query.and_then(|query| query.strip_prefix("$top=")?.parse().ok()).unwrap_or(usize::MAX)
}

fn list_json(items: &[serde_json::Value], top: usize) -> String {
    serde_json::json!({ "value": items.iter().take(top).collect::<Vec<_>>() }).to_string()
}

/// The score that a path names, with or without a pinned version.
pub(super) fn served_score(path: &str) -> Option<ScoreKind> {
    if path == "/v1.0/security/secureScores" {
        return Some(ScoreKind::SecureScore);
    }
    let resource = path.strip_prefix("/api/")?;
    match resource.strip_prefix("v1.0/").unwrap_or(resource) {
        "configurationScore" => Some(ScoreKind::DeviceSecureScore),
        "exposureScore" => Some(ScoreKind::ExposureScore),
        "exposureScore/ByMachineGroups" => Some(ScoreKind::ExposureScoreByGroup),
        _ => None,
    }
}

pub(super) async fn answer(
    state: &State,
    kind: ScoreKind,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let now = (state.settings.now)();
    let (audiences, needed) =
        if kind == ScoreKind::SecureScore { (&GRAPH_AUDIENCES[..], GRAPH_ROLE) } else { (&AUDIENCES[..], ROLE) };
    let claims = match admit(state, audiences, needed, request.headers(), now) {
        Ok(claims) => claims,
        Err(refusal) => return refuse(state, None, &refusal).await,
    };
    let every = state.tenants.every().1;
    let asked = state.tenants.ask(claims.tid, |tenant| {
        tenant.counts.score_requests += 1;
        match every.or_else(|| tenant.fetches.next()) {
            Some(Fetch::Usual) | None => Ok(match kind {
                ScoreKind::SecureScore => list_json(&tenant.records, top(request.uri().query())),
                ScoreKind::ExposureScoreByGroup => list_json(&tenant.groups, usize::MAX),
                _ => score_json(kind, tenant.score(kind), now, tenant.fraction_digits),
            }),
            Some(Fetch::Refuse(refusal)) => Err(Box::new(refusal.reply())),
            Some(Fetch::Raw(reply)) => Err(Box::new((reply, None))),
        }
    });
    match asked {
        Some(Ok(json)) => {
            state.log.note(RequestKind::Score, Some(claims.tid), Some(200), None);
            Ok(success(json))
        }
        Some(Err(scripted)) => {
            let (reply, correlation) = *scripted;
            super::send_raw(state, RequestKind::Score, Some(claims.tid), reply, correlation).await
        }
        // The tenant was removed while its token lives on.
        None => refuse(state, Some(claims.tid), &DefenderRefusal::AccountInactive).await,
    }
}

/// Judges the bearer token: ours, for that API, not expired, with the role.
pub(super) fn admit(
    state: &State,
    audiences: &[&str],
    needed: &str,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Claims, DefenderRefusal> {
    let token = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| state.tokens.read(token)).ok_or(DefenderRefusal::TokenInvalid)?;
    if !audiences.contains(&claims.aud.as_str()) {
        Err(DefenderRefusal::TokenInvalid)
    } else if claims.exp <= now.as_seconds() {
        Err(DefenderRefusal::TokenExpired)
    } else if !claims.roles.iter().any(|role| role == needed) {
        Err(DefenderRefusal::RoleMissing { held: claims.roles })
    } else {
        Ok(claims)
    }
}

async fn refuse(
    state: &State,
    tenant: Option<uuid::Uuid>,
    refusal: &DefenderRefusal,
) -> Result<Response<Body>, Closed> {
    let (reply, correlation) = refusal.reply();
    super::send_raw(state, RequestKind::Score, tenant, reply, correlation).await
}

fn success(json: String) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let kind = HeaderValue::from_static("application/json; odata.metadata=minimal; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
