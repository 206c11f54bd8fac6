//! `POST /{tenant}/oauth2/v2.0/token` with client credentials ("OAuth 2.0 client credentials flow").

use std::{borrow::Cow, collections::HashMap};

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, Method, Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue},
};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    super::{Reply, listener, listener::Closed},
    EntraRefusal, RequestKind, Service, State,
    assertion::Expected,
    refusal::{GRAPH_ROLE, ROLE},
    token::Claims,
};
use crate::domain::{Cloud, Timestamp};

/// How a token request is answered.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// As usual: a token for who has the right secret.
    Usual,
    /// With that error, whoever asks.
    Refuse(EntraRefusal),
    /// With that, whoever asks.
    Raw(Reply),
}

/// Resources that are in every tenant, as they stand before `/.default`.
const RESOURCES: [&str; 9] = [
    "https://api.securitycenter.microsoft.com",
    "https://securitycenter.onmicrosoft.com/windowsatpservice",
    "https://api-gcc.securitycenter.microsoft.us",
    "https://api-gov.securitycenter.microsoft.us",
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://vault.azure.net",
    "https://vault.usgovcloudapi.net",
];

/// Whether a resource is one of that national cloud ("Microsoft Graph national cloud deployments").
fn is_resource_of(cloud: Cloud, resource: &str) -> bool {
    let [commercial, commercial_too, gcc, government, graph, graph_l4, graph_l5, vault, vault_us] = RESOURCES;
    match cloud {
        Cloud::Commercial => [commercial, commercial_too, graph, vault].contains(&resource),
        Cloud::Gcc => [gcc, graph, vault].contains(&resource),
        Cloud::GccHigh => [government, graph_l4, vault_us].contains(&resource),
        Cloud::Dod => [government, graph_l5, vault_us].contains(&resource),
    }
}

/// What a good request asks for.
struct Asked {
    client_id: Uuid,
    material: Offered,
    scope: String,
    /// The address that was asked, as the client wrote it.
    token_url: String,
}

/// What the app proves itself with.
enum Offered {
    Secret(String),
    Assertion(String),
}

/// What goes with an assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) async fn answer(state: &State, tenant: &str, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
    let (head, body) = request.into_parts();
    let Some(body) = listener::read_body(body).await else {
        return super::send_raw(state, RequestKind::Token, None, Reply::status(413), None).await;
    };
    let now = (state.settings.now)();
    let tenant_id = Uuid::try_parse(tenant).ok();
    let scripted = match state.tenants.every().0 {
        Some(answer) => Some(answer),
        None => tenant_id.and_then(|id| {
            state.tenants.ask(id, |tenant| {
                tenant.counts.token_requests += 1;
                tenant.sign_ins.next()
            })?
        }),
    };
    // The app stands in the form, which may be none; here one app a tenant is enough.
    let call = state.meter.enter(Service::Entra, tenant_id.unwrap_or_default(), Uuid::nil(), now);
    if let Some(wait) = match &scripted {
        Some(SignIn::Raw(reply)) => reply.wait(),
        _ => None,
    } {
        call.close(now, wait);
    }
    let granted = match scripted {
        Some(SignIn::Raw(reply)) => return super::send_raw(state, RequestKind::Token, tenant_id, reply, None).await,
        Some(SignIn::Refuse(refusal)) => Err(refusal),
        Some(SignIn::Usual) | None => {
            let asked = read_form(&head.method, &head.headers, head.uri.path(), &body);
            asked.and_then(|asked| grant(state, tenant, tenant_id, &asked, now))
        }
    };
    match granted {
        Ok(token) => {
            state.log.note(RequestKind::Token, tenant_id, Some(200), None);
            Ok(success(&token, state.settings.token_life.as_secs(), state.log.counts().tokens_granted))
        }
        Err(refusal) => {
            let (reply, correlation) = refusal.reply(now);
            super::send_raw(state, RequestKind::Token, tenant_id, reply, correlation).await
        }
    }
}

fn read_form(method: &Method, headers: &HeaderMap, path: &str, body: &[u8]) -> Result<Asked, EntraRefusal> {
    if method != Method::POST {
        return Err(EntraRefusal::PostOnly);
    }
    let is_form =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let fields: HashMap<Cow<'_, str>, Cow<'_, str>> =
        if is_form { form_urlencoded::parse(body).collect() } else { HashMap::new() };
    let field = |name: &str| fields.get(name).map(AsRef::<str>::as_ref).filter(|value| !value.is_empty());
    if field("grant_type").ok_or(EntraRefusal::FieldMissing)? != "client_credentials" {
        return Err(EntraRefusal::FieldMissing);
    }
    let basic = headers.get(AUTHORIZATION).and_then(read_basic);
    let assertion = field("client_assertion").filter(|_| field("client_assertion_type") == Some(ASSERTION_TYPE));
    let (client_id, material) = match (field("client_id"), field("client_secret"), assertion, basic) {
        (Some(client_id), Some(secret), None, _) => (client_id.to_owned(), Offered::Secret(secret.to_owned())),
        (Some(client_id), None, Some(token), _) => (client_id.to_owned(), Offered::Assertion(token.to_owned())),
        (_, _, None, Some((client_id, secret))) => (client_id, Offered::Secret(secret)),
        (Some(_), None, None, None) => return Err(EntraRefusal::SecretMissing),
        _ => return Err(EntraRefusal::FieldMissing),
    };
    let scope = field("scope").ok_or(EntraRefusal::FieldMissing)?;
    if scope.contains(' ') || !scope.ends_with("/.default") {
        return Err(EntraRefusal::ScopeMalformed);
    }
    let client_id = Uuid::try_parse(&client_id).map_err(|_| EntraRefusal::AppUnknown)?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Ok(Asked { client_id, material, scope: scope.to_owned(), token_url: format!("http://{host}{path}") })
}

/// `Basic base64(urlencoded id : urlencoded secret)` (RFC 6749, 2.3.1).
fn read_basic(header: &HeaderValue) -> Option<(String, String)> {
    let pair = STANDARD.decode(header.to_str().ok()?.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    let decode =
        |text: &str| form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
    Some((decode(id)?, decode(secret)?))
}

fn grant(
    state: &State,
    tenant: &str,
    tenant_id: Option<Uuid>,
    asked: &Asked,
    now: Timestamp,
) -> Result<String, EntraRefusal> {
    if ["common", "consumers"].contains(&tenant) {
        return Err(EntraRefusal::TenantlessEndpoint);
    }
    let tenant_id = tenant_id.ok_or(EntraRefusal::TenantUnknown)?;
    let audience = asked.scope.strip_suffix("/.default").unwrap_or(&asked.scope);
    let (issued, expires) = (now.as_seconds(), now.plus(state.settings.token_life).as_seconds());
    let roles = state
        .tenants
        .ask(tenant_id, |tenant| {
            if !tenant.knows_app(asked.client_id) {
                return Err(EntraRefusal::AppUnknown);
            }
            match &asked.material {
                Offered::Secret(secret) if tenant.secret == *secret => {}
                Offered::Secret(_) => return Err(EntraRefusal::SecretWrong),
                Offered::Assertion(token) => {
                    tenant.keys.verify(token, &Expected::new(&asked.token_url, asked.client_id, now))?;
                }
            }
            if !RESOURCES.contains(&audience) {
                return Err(EntraRefusal::ResourceUnknown);
            }
            if tenant.home.is_some_and(|home| !is_resource_of(home, audience)) {
                return Err(EntraRefusal::WrongCloud);
            }
            let role = if audience.contains("graph.") { GRAPH_ROLE } else { ROLE };
            Ok(tenant.roles.clone().unwrap_or_else(|| vec![role.to_owned()]))
        })
        .ok_or(EntraRefusal::TenantUnknown)??;
    if let Some(requests_max) = state.settings.token_requests_max {
        let mut requests = 0;
        state.tenants.change(tenant_id, |tenant| {
            requests = tenant.count_token(asked.client_id, &asked.scope, issued, expires);
        });
        if requests > requests_max {
            return Err(EntraRefusal::LoopDetected);
        }
    }
    Ok(state.tokens.issue(Claims::new(audience, tenant_id, asked.client_id, roles, issued, expires)))
}

/// `ext_expires_in` is as long as the life, then 0, then absent, as Microsoft's own samples have it.
fn success(token: &str, life_seconds: u64, number: u64) -> Response<Body> {
    let extended = match number % 3 {
        1 => format!(r#""ext_expires_in":{life_seconds},"#),
        2 => r#""ext_expires_in":0,"#.to_owned(),
        _ => String::new(),
    };
    let body = format!(r#"{{"token_type":"Bearer","expires_in":{life_seconds},{extended}"access_token":"{token}"}}"#);
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    response
}
