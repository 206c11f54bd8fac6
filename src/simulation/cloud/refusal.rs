//! Microsoft's refusals in their documented shapes ("Microsoft Entra authentication and authorization error codes"; "Common REST API error codes").

use serde_json::json;
use uuid::Uuid;

use super::super::Reply;
use crate::domain::Timestamp;

/// Why Entra refuses a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntraRefusal {
    /// 7000215: the secret is wrong.
    SecretWrong,
    /// 7000222: every secret of the app is expired.
    SecretExpired,
    /// 7000218: neither secret nor assertion was sent.
    SecretMissing,
    /// 700027: no certificate of the app has that thumbprint.
    AssertionKeyUnknown,
    /// 700027: the signature is wrong.
    AssertionUnsigned,
    /// 700024: the assertion does not hold yet, or no longer.
    AssertionOutOfTime,
    /// 700023: the assertion is for another token endpoint.
    AssertionAudience,
    /// 700021: the assertion is for another app.
    AssertionApp,
    /// 50027: the assertion is not a readable token.
    AssertionMalformed,
    /// 50027: the assertion was used before. Whether Entra minds is not documented; here it always does.
    AssertionReplayed,
    /// 70021: no federated credential has the token's issuer, subject and audience, or not all of Entra knows it yet.
    FederationUnmatched,
    /// 700016: the app is not in the tenant, or its admin never consented.
    AppUnknown,
    /// 7000112: the app is disabled in the tenant.
    AppDisabled,
    /// 90002: there is no such tenant.
    TenantUnknown,
    /// 90038: the tenant lives in another national cloud.
    WrongCloud,
    /// 9001023: `/common` or `/consumers` with this grant.
    TenantlessEndpoint,
    /// 500011: the resource's service principal is not in the tenant.
    ResourceUnknown,
    /// 70011: the scope is malformed, or names more than one resource.
    ScopeMalformed,
    /// 900144: a form field is missing.
    FieldMissing,
    /// 900561: the endpoint accepts POST only.
    PostOnly,
    /// 53003: Conditional Access blocks it.
    PolicyBlocked,
    /// 50196: the same token is asked for too often.
    LoopDetected,
    /// 90055: the tenant is throttled.
    TenantThrottled,
    /// 90033: a transient fault of the service.
    Transient,
    /// A number that no table lists, with HTTP 400.
    Unlisted(u32),
}

/// Each refusal that has a number: its HTTP status, `error`, number and text.
const ENTRA: [(EntraRefusal, u16, &str, u32, &str); 24] = [
    (
        EntraRefusal::SecretWrong,
        401,
        "invalid_client",
        7_000_215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'simulated'.",
    ),
    (
        EntraRefusal::SecretExpired,
        401,
        "invalid_client",
        7_000_222,
        "The provided client secret keys for app 'simulated' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.",
    ),
    (
        EntraRefusal::SecretMissing,
        401,
        "invalid_client",
        7_000_218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    (
        EntraRefusal::AssertionKeyUnknown,
        401,
        "invalid_client",
        700_027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]",
    ),
    (
        EntraRefusal::AssertionUnsigned,
        401,
        "invalid_client",
        700_027,
        "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]",
    ),
    (
        EntraRefusal::AssertionOutOfTime,
        401,
        "invalid_client",
        700_024,
        "Client assertion is not within its valid time range.",
    ),
    (
        EntraRefusal::AssertionAudience,
        401,
        "invalid_client",
        700_023,
        "Client assertion audience claim does not match Realm issuer.",
    ),
    (
        EntraRefusal::AssertionApp,
        401,
        "invalid_client",
        700_021,
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    (EntraRefusal::AssertionMalformed, 401, "invalid_client", 50_027, "JWT token is invalid or malformed."),
    (EntraRefusal::AssertionReplayed, 401, "invalid_client", 50_027, "JWT token was used before."),
    (
        EntraRefusal::FederationUnmatched,
        400,
        "invalid_request",
        70_021,
        "No matching federated identity record found for presented assertion. Assertion Issuer: 'simulated'.",
    ),
    (
        EntraRefusal::AppUnknown,
        400,
        "unauthorized_client",
        700_016,
        "Application with identifier 'simulated' was not found in the directory 'simulated'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
    ),
    (EntraRefusal::AppDisabled, 400, "unauthorized_client", 7_000_112, "Application 'simulated' is disabled."),
    (
        EntraRefusal::TenantUnknown,
        400,
        "invalid_request",
        90_002,
        "Tenant 'simulated' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    ),
    (
        EntraRefusal::WrongCloud,
        400,
        "invalid_request",
        90_038,
        "Tenant 'simulated' request is being redirected to the National Cloud 'simulated'.",
    ),
    (
        EntraRefusal::TenantlessEndpoint,
        400,
        "invalid_request",
        9_001_023,
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
    ),
    (
        EntraRefusal::ResourceUnknown,
        400,
        "invalid_resource",
        500_011,
        "The resource principal named 'simulated' was not found in the tenant named 'simulated'.",
    ),
    (
        EntraRefusal::ScopeMalformed,
        400,
        "invalid_scope",
        70_011,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.",
    ),
    (
        EntraRefusal::FieldMissing,
        400,
        "invalid_request",
        900_144,
        "The request body must contain a required parameter that is missing.",
    ),
    (
        EntraRefusal::PostOnly,
        400,
        "invalid_request",
        900_561,
        "The endpoint only accepts POST requests. Received another request.",
    ),
    (
        EntraRefusal::PolicyBlocked,
        400,
        "interaction_required",
        53_003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    (
        EntraRefusal::LoopDetected,
        400,
        "invalid_request",
        50_196,
        "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
    ),
    (
        EntraRefusal::TenantThrottled,
        400,
        "temporarily_unavailable",
        90_055,
        "The tenant 'simulated' is throttled or blocked.",
    ),
    (
        EntraRefusal::Transient,
        503,
        "temporarily_unavailable",
        90_033,
        "A transient error has occurred. Please try again.",
    ),
];

impl EntraRefusal {
    /// HTTP status, `error`, number and text.
    fn parts(self) -> (u16, &'static str, u32, &'static str) {
        if let Self::Unlisted(number) = self {
            return (400, "invalid_grant", number, "Something that no table lists.");
        }
        let row = ENTRA.iter().find(|(refusal, ..)| *refusal == self);
        row.map_or((500, "server_error", 0, "The table lacks this refusal."), |(_, status, error, number, text)| {
            (*status, *error, *number, *text)
        })
    }

    /// The number after `AADSTS`.
    #[must_use]
    pub fn number(self) -> u32 {
        self.parts().2
    }

    /// The answer, with its correlation id.
    pub(super) fn reply(self, now: Timestamp) -> (Reply, Option<Uuid>) {
        let (status, error, number, text) = self.parts();
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let timestamp = now.to_chrono().format("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{number}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}"
            ),
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        match self {
            Self::SecretWrong | Self::SecretExpired => {
                body["error_uri"] = format!("https://login.microsoftonline.com/error?code={number}").into();
            }
            Self::PolicyBlocked => body["suberror"] = "message_only".into(),
            _ => {}
        }
        (Reply::json(status, body.to_string()), Some(correlation))
    }
}

/// Why Defender refuses a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefenderRefusal {
    /// 401: there is no token, or it is not one of Entra's for this resource.
    TokenInvalid,
    /// 401: the token is expired.
    TokenExpired,
    /// 401: the tenant has no license for vulnerability management.
    NoLicence,
    /// 401: the tenant's account is inactive.
    AccountInactive,
    /// 403: the token lacks the role; `held` are those that it has.
    RoleMissing {
        /// Roles in the token.
        held: Vec<String>,
    },
    /// 403: the feature is switched off in the tenant.
    FeatureDisabled,
    /// 404: the tenant has no such score.
    NotFound,
    /// 429, with that `Retry-After`.
    Throttled {
        /// The header's text; `None`: no header.
        retry_after: Option<String>,
    },
    /// 400: the query asks for what is not served (`$top` above its ceiling).
    BadQuery,
    /// An internal error, with status 500.
    ServerError,
}

/// What a score's call needs ("Get device secure score", permissions).
pub(super) const ROLE: &str = "Score.Read.All";

/// What Graph's secure scores need ("List secureScores", permissions).
pub(super) const GRAPH_ROLE: &str = "SecurityEvents.Read.All";

impl DefenderRefusal {
    /// The answer to a call of a score, with its correlation id.
    pub(super) fn reply(&self) -> (Reply, Option<Uuid>) {
        self.reply_for(ROLE)
    }

    /// The answer to a call that needs this role.
    pub(super) fn reply_for(&self, role: &str) -> (Reply, Option<Uuid>) {
        let target = Uuid::new_v4();
        let unauthorized = |reason: &str| {
            defender_json(401, "Unauthorized", &format!("Unauthorized request - reason of failure: {reason}"), target)
        };
        let reply = match self {
            Self::TokenInvalid => unauthorized("Invalid access token"),
            Self::TokenExpired => unauthorized("Token is expired"),
            Self::NoLicence => unauthorized("No Tvm license"),
            Self::AccountInactive => unauthorized("Account mode is inactive"),
            Self::RoleMissing { held } => {
                let message = format!(
                    "Missing application roles. API required roles: {role}, application roles: {}.",
                    held.join(",")
                );
                defender_json(403, "Forbidden", &message, target)
            }
            Self::FeatureDisabled => defender_json(403, "DisabledFeature", "Tenant feature is not enabled.", target),
            Self::NotFound => defender_json(404, "ResourceNotFound", "Resource was not found.", target),
            Self::Throttled { retry_after } => {
                let reply = defender_json(429, "TooManyRequests", "Too many requests. Please try again later.", target);
                match retry_after {
                    Some(text) => reply.retry_after(text),
                    None => reply,
                }
            }
            Self::BadQuery => {
                defender_json(400, "ODataError", "The limit of '10000' for Top query is exceeded.", target)
            }
            Self::ServerError => defender_json(500, "InternalServerError", "Internal server error.", target),
        };
        (reply, Some(target))
    }

    /// The same as Graph says it ("Microsoft Graph error responses and resource types"; the role's text as the field reports it).
    pub(super) fn reply_of_graph(&self, now: Timestamp) -> (Reply, Option<Uuid>) {
        let id = Uuid::new_v4();
        // Without a zone, as it is sent.
        let date = now.to_chrono().format("%Y-%m-%dT%H:%M:%S").to_string();
        let error = |status: u16, code: &str, message: &str| {
            let inner = if status == 429 {
                json!({ "code": "429", "date": date, "message": message, "request-id": id, "status": "429" })
            } else {
                json!({ "date": date, "request-id": id, "client-request-id": id })
            };
            let body = json!({ "error": { "code": code, "message": message, "innerError": inner } });
            Reply::json(status, body.to_string())
        };
        let reply = match self {
            Self::TokenInvalid | Self::TokenExpired => {
                error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
            }
            Self::NoLicence | Self::AccountInactive => {
                error(403, "Forbidden", "Unauthorized request - Account is not provisioned.")
            }
            Self::RoleMissing { held } => {
                let held = held.join(",");
                let roles = format!("API required roles: {GRAPH_ROLE}, application roles: {held}.");
                error(403, "Forbidden", &format!("Missing application roles. {roles}"))
            }
            Self::FeatureDisabled => error(403, "DisabledFeature", "Tenant feature is not enabled."),
            Self::NotFound => error(404, "ResourceNotFound", "Resource was not found."),
            Self::Throttled { retry_after } => {
                let reply = error(429, "TooManyRequests", "Too many requests.");
                match retry_after {
                    Some(text) => reply.retry_after(text),
                    None => reply,
                }
            }
            Self::BadQuery => error(400, "BadRequest", "Invalid value for query option '$top'."),
            Self::ServerError => error(500, "InternalServerError", "Internal server error."),
        };
        (reply, Some(id))
    }
}

/// An error body as Defender writes it.
pub(super) fn defender_json(status: u16, code: &str, message: &str, target: Uuid) -> Reply {
    let body = json!({ "error": { "code": code, "message": message, "target": target } });
    Reply::json(status, body.to_string())
}
