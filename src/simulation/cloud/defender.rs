//! The scores of Defender for Endpoint, and Graph's `GET /v1.0/security/secureScores`.

use axum::body::Body;
use hyper::{
    HeaderMap, Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};

use super::{
    super::{Reply, listener::Closed},
    DefenderRefusal, RequestKind, Service, State,
    refusal::{GRAPH_ROLE, ROLE},
    score::score_json,
    tenant::{Fetch, Tenant},
    token::Claims,
};
use crate::domain::{ScoreKind, Timestamp};

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

/// What a query option asks for.
fn option(query: Option<&str>, name: &str) -> Option<usize> {
    query?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// One page of Graph's records, newest first, and where the next one is.
fn page_json(tenant: &Tenant, request: &Request<Incoming>) -> String {
    let query = request.uri().query();
    let (top, skip) = (option(query, "$top").unwrap_or(usize::MAX), option(query, "$skip").unwrap_or(0));
    let size = tenant.page_size.unwrap_or(usize::MAX).min(top);
    let items: Vec<_> = tenant.records.iter().skip(skip).take(size).collect();
    let end = skip.saturating_add(items.len());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = (end < tenant.records.len() && size < top)
        .then(|| format!("http://{host}{}?$top={top}&$skip={end}", request.uri().path()));
    let mut page = serde_json::json!({ "value": items });
    if let Some(next) = tenant.next_link.clone().or(own) {
        page["@odata.nextLink"] = next.into();
    }
    page.to_string()
}

fn groups_json(tenant: &Tenant) -> String {
    let mut list = serde_json::json!({ "value": tenant.groups });
    if let Some(next) = &tenant.next_link {
        list["@odata.nextLink"] = next.as_str().into();
    }
    list.to_string()
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
        Err(refusal) => return refuse(state, None, kind, &refusal).await,
    };
    let service = if kind == ScoreKind::SecureScore { Service::Graph } else { Service::Defender };
    let call = state.meter.enter(service, claims.tid, claims.appid, now);
    if call.is_above {
        let refusal = DefenderRefusal::Throttled { retry_after: Some("60".to_owned()) };
        call.close(now, std::time::Duration::from_mins(1));
        return refuse(state, Some(claims.tid), kind, &refusal).await;
    }
    let every = state.tenants.every().1;
    let asked = state.tenants.ask(claims.tid, |tenant| {
        tenant.counts.score_requests += 1;
        match every.or_else(|| tenant.fetches.next()) {
            Some(Fetch::Usual) | None => Ok(match kind {
                ScoreKind::SecureScore => page_json(tenant, request),
                ScoreKind::ExposureScoreByGroup => groups_json(tenant),
                _ => score_json(kind, tenant.score(kind), now, tenant.fraction_digits),
            }),
            Some(Fetch::Refuse(refusal)) => Err(Box::new(reply_as(kind, &refusal, now))),
            Some(Fetch::Incomplete) => {
                let warning = r#"199 - "Microsoft/SecureScore/504/10000""#;
                let part = Reply::json(206, page_json(tenant, request)).header("warning", warning);
                Err(Box::new((part, None)))
            }
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
            if let Some(wait) = reply.wait() {
                call.close(now, wait);
            }
            super::send_raw(state, RequestKind::Score, Some(claims.tid), reply, correlation).await
        }
        // The tenant was removed while its token lives on.
        None => refuse(state, Some(claims.tid), kind, &DefenderRefusal::AccountInactive).await,
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

/// A refusal in the shape of the API that the score comes from.
fn reply_as(kind: ScoreKind, refusal: &DefenderRefusal, now: Timestamp) -> (Reply, Option<uuid::Uuid>) {
    if kind == ScoreKind::SecureScore { refusal.reply_of_graph(now) } else { refusal.reply() }
}

async fn refuse(
    state: &State,
    tenant: Option<uuid::Uuid>,
    kind: ScoreKind,
    refusal: &DefenderRefusal,
) -> Result<Response<Body>, Closed> {
    let (reply, correlation) = reply_as(kind, refusal, (state.settings.now)());
    super::send_raw(state, RequestKind::Score, tenant, reply, correlation).await
}

fn success(json: String) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let kind = HeaderValue::from_static("application/json; odata.metadata=minimal; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
