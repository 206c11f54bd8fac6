//! What an unsuccessful answer means: of Entra's token endpoint, and of an API. Pure.
//!
//! Microsoft says that clients should not depend on the numbers and texts of Entra's errors ("Microsoft Entra authentication
//! and authorization error codes"). So the status and `error` decide whether waiting helps; the number only picks the class
//! and its hint, and a number that is unknown is normal.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Failure, FailureClass,
    bounded::{First, Inner, Scalar},
    is_object,
};
use crate::{
    domain::{Clause, Timestamp},
    egress::{Answer, retry_after},
};

/// The longest wait that we take from Microsoft; a later check asks again.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// Longest correlation id that is logged.
const CORRELATION_CHARS_MAX: usize = 64;
/// Names of roles that are shown: as many as fit a sentence.
const ROLES_MAX: usize = 4;
const ROLE_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
struct EntraError {
    #[serde(default)]
    error: Scalar,
    #[serde(default)]
    error_codes: First,
    #[serde(default)]
    correlation_id: Scalar,
}

/// What a token endpoint's answer other than 200 means.
pub(super) fn of_sign_in(answer: &Answer, now: Timestamp) -> Failure {
    let body: Option<EntraError> =
        if is_object(&answer.body) { serde_json::from_slice(&answer.body).ok() } else { None };
    let code = body.as_ref().and_then(|body| number(&body.error_codes.0.0));
    let error = body.as_ref().and_then(|body| body.error.text()).unwrap_or_default();
    let known = code.and_then(entra_class);
    let mut failure = match (answer.status, known) {
        (429, _) => Failure::new(FailureClass::Throttled, "Entra throttles our requests"),
        (408 | 500..=599, _) => {
            Failure::new(FailureClass::MicrosoftDown, format!("Entra answers with HTTP {}", answer.status))
        }
        (300..=399, _) => Failure::new(FailureClass::Garbage, "Entra answers with a redirect, which is not followed"),
        // Whether it passes on its own is said by `error`; a number that says otherwise is not believed.
        (_, known) if error == "temporarily_unavailable" && !known.is_some_and(|(class, _)| may_pass(class)) => {
            Failure::new(FailureClass::MicrosoftDown, "Entra is unavailable for now")
        }
        (_, Some((class, what))) => Failure::new(class, what),
        (status, None) if body.is_none() => {
            Failure::new(FailureClass::Garbage, format!("Entra answers with HTTP {status} and no readable reason"))
        }
        (status, None) => Failure::new(class_by_error(error), format!("Entra rejects the sign-in with HTTP {status}")),
    };
    failure.hint = code.and_then(hint_by_code).map(Into::into);
    if let Some(code) = code
        && failure.class == FailureClass::SignInRefused
    {
        failure.hint = Some(look_up(code, error == "invalid_client").into());
    }
    if let Some(code) = code {
        failure.what = format!("{} (AADSTS{code})", failure.what).into();
    }
    failure.entra_code = code;
    failure.retry_after = wait(answer, now);
    failure.correlation = body.as_ref().and_then(|body| correlation(&body.correlation_id.0));
    failure
}

/// The codes that an MSSP meets ("Microsoft Entra authentication and authorization error codes", and public reports where that
/// table has no row).
fn entra_class(code: u32) -> Option<(FailureClass, &'static str)> {
    use FailureClass as Class;
    Some(match code {
        7_000_215 => (Class::SecretWrong, "Entra does not know the client secret"),
        700_027 => (Class::CertificateUnknown, "the key that signed is not one of the app's"),
        7_000_222 => (Class::SecretExpired, "the app's client secrets have expired"),
        7_000_216 | 7_000_218 => (Class::ConfigurationWrong, "no credential of the app reached Entra"),
        700_024 | 50_013 | 500_133 => (Class::ClockWrong, "the assertion is outside its time window"),
        50_027 => (Class::ConfigurationWrong, "the assertion is malformed"),
        700_021 => (Class::ConfigurationWrong, "the assertion is for another app"),
        700_023 => (Class::ConfigurationWrong, "the assertion is for another tenant or cloud"),
        700_025 => (Class::ConfigurationWrong, "the app is a public client, which has no secret"),
        700_030 => (Class::ConfigurationWrong, "the certificate's subject is not allowed"),
        70_021 | 700_211 | 700_212 | 700_213 | 7_002_137 | 7_002_138 => {
            (Class::FederationUnmatched, "no federated credential of the app matches the token")
        }
        700_229 => (Class::ConfigurationWrong, "the federated token is a person's; only an app's is accepted"),
        70_011 | 28_002 | 700_022 => (Class::ConfigurationWrong, "the scope is malformed"),
        901_002 | 9_001_023 | 900_144 => (Class::ConfigurationWrong, "the token request is malformed"),
        700_016 => (Class::ConsentMissing, "the app is not in the tenant: never consented to, or removed"),
        7_000_229 => (Class::ConsentMissing, "the app has no service principal in the tenant: nobody has consented"),
        65_001 | 65_005 | 650_056 | 650_057 => (Class::ConsentMissing, "consent to the app's permissions is missing"),
        7_000_112 | 70_001 => (Class::AppDisabled, "the app is disabled in the tenant"),
        1_000_031 => (Class::AppDisabled, "the app can't be reached in the tenant at this time"),
        90_002 => (Class::TenantNotFound, "there is no such tenant in this cloud"),
        90_038 | 900_382 | 900_432 => (Class::TenantNotFound, "the tenant is in another cloud"),
        500_011 => (Class::NotOnboarded, "the tenant does not have the API: Defender for Endpoint was never set up"),
        650_052 => (Class::LicenceMissing, "the tenant has no subscription to the API"),
        500_014 => (Class::LicenceMissing, "the API is disabled in the tenant: a subscription has lapsed"),
        5_000_225 => (Class::TenantBlocked, "the tenant is blocked because it was inactive for a long time"),
        53_003 | 530_032 | 530_034 | 530_035 | 53_011 => {
            (Class::PolicyBlocked, "a policy of the tenant blocks the sign-in")
        }
        500_021 | 500_022 => (Class::ProxyRestricts, "a proxy on our side restricts sign-in to other tenants"),
        50_196 => (Class::Throttled, "Entra received the same token request too often"),
        90_055 => (Class::TenantBlocked, "Entra throttles or blocks the tenant"),
        90_006 | 90_012 | 90_024 | 90_033 | 90_090 => (Class::MicrosoftDown, "Entra is unavailable for now"),
        _ => return None,
    })
}

/// Whether a failure of that class may pass on its own.
const fn may_pass(class: FailureClass) -> bool {
    matches!(class, FailureClass::Throttled | FailureClass::MicrosoftDown | FailureClass::TenantBlocked)
}

/// What `error` says where the number is unknown.
fn class_by_error(error: &str) -> FailureClass {
    match error {
        "unauthorized_client" | "consent_required" => FailureClass::ConsentMissing,
        "invalid_resource" => FailureClass::NotOnboarded,
        "invalid_scope" => FailureClass::ConfigurationWrong,
        "interaction_required" => FailureClass::PolicyBlocked,
        _ => FailureClass::SignInRefused,
    }
}

/// What to do, where the number says more of it than the class.
const fn hint_by_code(code: u32) -> Option<&'static str> {
    let clause = match code {
        90_002 => Clause::FindTenant,
        500_014 => Clause::RenewSubscription,
        5_000_225 => Clause::ReactivateTenant,
        90_038 | 900_382 | 900_432 => Clause::SetCloud,
        530_032 | 530_034 | 530_035 | 53_011 => Clause::AskForPolicy,
        70_011 | 28_002 | 700_022 | 901_002 | 9_001_023 | 900_144 => Clause::CheckTenantCloud,
        700_025 => Clause::RefusePublicClients,
        7_000_216 | 7_000_218 => Clause::FillSecret,
        _ => return None,
    };
    Some(clause.english())
}

#[derive(Deserialize)]
struct ApiErrorBody {
    error: ApiError,
}

/// Of Defender (`target` is the correlation id) and of Graph (`innerError.request-id` is).
#[derive(Deserialize, Default)]
struct ApiError {
    #[serde(default)]
    code: Scalar,
    #[serde(default)]
    message: Scalar,
    #[serde(default)]
    target: Scalar,
    #[serde(default, rename = "innerError")]
    inner: Inner,
}

/// What to do about a code that is not in [`entra_class`]: Entra's own page says what it means.
fn look_up(code: u32, concerns_credential: bool) -> String {
    let clause = if concerns_credential { Clause::CheckCredentialAndLookUpCode } else { Clause::LookUpCode };
    let code = code.to_string();
    clause.with(&[&code, &code])
}

/// What an API's answer other than 200 means. A 401 is [`FailureClass::TokenRefused`] unless its text speaks of a
/// license.
pub(super) fn of_call(answer: &Answer, now: Timestamp) -> Failure {
    let body: ApiError =
        serde_json::from_slice::<ApiErrorBody>(&answer.body).map(|body| body.error).unwrap_or_default();
    let code = body.code.text().unwrap_or_default();
    let message = body.message.text().unwrap_or_default();
    let status = answer.status;
    let mut failure = match status {
        204 | 206 => Failure::new(FailureClass::NoData, "the API's answer is incomplete"),
        200..=399 => Failure::new(
            FailureClass::Garbage,
            format!("the API answers with HTTP {status}, which is not expected here"),
        ),
        401 | 403 if speaks_of_license(message) || code == "DisabledFeature" => Failure::new(
            FailureClass::LicenceMissing,
            "the tenant has no license for the score, or its account is inactive",
        ),
        401 | 403 if code == "Authorization_IdentityNotFound" => {
            Failure::new(FailureClass::ConsentMissing, "the API does not find the app in the tenant")
        }
        401 | 403 if sign_in_code(message).is_some() => {
            let code = sign_in_code(message).unwrap_or_default();
            let (class, what) = entra_class(code).unwrap_or((FailureClass::SignInRefused, "Entra rejects the app"));
            let unknown = || (class == FailureClass::SignInRefused).then(|| look_up(code, false).into());
            Failure {
                hint: hint_by_code(code).map(Into::into).or_else(unknown),
                entra_code: Some(code),
                ..Failure::new(class, format!("{what} (AADSTS{code})"))
            }
        }
        401 => Failure::new(FailureClass::TokenRefused, "the API rejects a fresh token"),
        403 if code == "DisallowedOperation" => {
            Failure::new(FailureClass::CallRefused, "the API does not allow the call")
        }
        403 => Failure::new(FailureClass::RoleMissing, role_missing(message)),
        429 => Failure::new(FailureClass::Throttled, "the API throttles our requests"),
        408 | 500..=599 => Failure::new(FailureClass::MicrosoftDown, format!("the API answers with HTTP {status}")),
        _ => Failure::new(FailureClass::CallRefused, format!("the API rejects the call with HTTP {status}")),
    };
    failure.retry_after = wait(answer, now);
    failure.correlation = correlation(&body.target.0).or_else(|| correlation(&body.inner.0.0));
    if let (FailureClass::CallRefused, Some(id)) = (failure.class, &failure.correlation) {
        failure.hint = Some(Clause::ReportCorrelation.with(&[id]).into());
    }
    failure
}

/// The number of an Entra error that an API passes on in its own message: Graph answers 403 with `AADSTS500014: …`.
fn sign_in_code(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("AADSTS")?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

/// The refusals that Defender gives for tenants without license, with an inactive account, or never provisioned.
fn speaks_of_license(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["tvm license", "is inactive", "not provisioned"].iter().any(|words| message.contains(words))
}

/// Names the roles to grant, read from `API required roles: A,B, application roles: C,D.` if they look like roles and nothing else.
fn role_missing(message: &str) -> String {
    let required =
        message.split_once("required roles:").map(|(_, rest)| rest.split("application roles:").next().unwrap_or(rest));
    let roles: Vec<&str> =
        required.unwrap_or_default().split(',').map(str::trim).filter(|role| !role.is_empty()).collect();
    let is_role = |role: &&str| {
        role.len() <= ROLE_CHARS_MAX
            && role.contains('.')
            && !role.starts_with('.')
            && role.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
    };
    match roles.as_slice() {
        [] => "the app may not read the score".to_owned(),
        roles if roles.len() > ROLES_MAX || !roles.iter().all(is_role) => "the app may not read the score".to_owned(),
        [role] => format!("the app may not read the score (no role `{role}`)"),
        roles => format!("the app may not read the score (none of the roles `{}`)", roles.join("`, `")),
    }
}

fn wait(answer: &Answer, now: Timestamp) -> Option<Duration> {
    retry_after::parse(answer.retry_after.as_deref()?, now, RETRY_AFTER_MAX)
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The id if it is one: hexadecimal parts, whole. Any other text may be a secret that is sent back, and reaches no log.
fn correlation(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let is_id = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, '-' | '|' | '.');
    let is_whole = (1..=CORRELATION_CHARS_MAX).contains(&id.len()) && id.chars().all(is_id);
    is_whole.then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
