//! A person in more groups than a token has room for: Microsoft Graph is asked, with the person's own token.
//!
//! Only the groups that grants name are asked about (`checkMemberGroups`, which follows nested groups), so that the answer is as short
//! as the question. The whole list (`getMemberObjects`) may have 11,000 entries, and `memberOf` pages. The address that the token names
//! as the source is not called: it is Azure AD Graph's, which is gone, and nothing that a token says decides where a token is sent.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    error::{SignInError, SignInFailure},
    grant::group_name,
    settings::Entra,
    wire::{Ask, Wire},
};

/// Most groups in one request ("directoryObject: checkMemberGroups").
const GROUPS_PER_REQUEST: usize = 20;
/// The most bytes of an answer with that number of IDs.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

#[derive(Deserialize)]
struct Members {
    value: Vec<String>,
}

/// The way out that always works.
const APP_ROLES: &str = "use app roles instead: create them in the app registration, assign the groups to them in the enterprise \
     application, and write `app_role:` instead of `group:` under `access.oidc.grants`";

/// Why the groups are not known, and what else to set.
pub(super) fn unknown(why: &str) -> SignInError {
    SignInError::new(
        SignInFailure::GroupsUnknown,
        format!("the person is in more groups than a token has room for, and {why}"),
        APP_ROLES,
    )
}

/// Those of the groups that the person is in, directly or through others.
pub(super) async fn member_of(
    wire: &Wire,
    entra: &Entra,
    bearer: Option<&SecretString>,
    groups: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, SignInError> {
    let bearer = bearer.ok_or_else(|| unknown("Entra granted no token to look them up in Microsoft Graph"))?;
    if groups.iter().any(|group| Uuid::try_parse(group).is_err()) {
        return Err(unknown("Microsoft Graph can be asked about groups by their object IDs only"));
    }
    let url = format!("{}/v1.0/me/checkMemberGroups", entra.graph);
    let groups: Vec<&str> = groups.iter().copied().collect();
    let mut found = BTreeSet::new();
    for asked in groups.chunks(GROUPS_PER_REQUEST) {
        let body = serde_json::json!({ "groupIds": asked }).to_string();
        let ask = Ask {
            what: "the person's groups in Microsoft Graph",
            url: &url,
            headers: vec![("authorization", bearer.clone()), ("content-type", "application/json".into())],
            body: Some(body.into()),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = wire.send(ask).await?;
        match answer.status {
            200 => {}
            401 | 403 => {
                return Err(SignInError {
                    hint: format!(
                        "add the delegated permission `GroupMember.Read.All` of Microsoft Graph to the app registration and grant \
                         admin consent; or {APP_ROLES}"
                    )
                    .into(),
                    ..unknown(&format!("Microsoft Graph does not let the app look them up (HTTP {})", answer.status))
                });
            }
            status => {
                return Err(SignInError {
                    hint: "try again later".into(),
                    ..unknown(&format!("Microsoft Graph answers with HTTP {status}"))
                });
            }
        }
        let members: Members =
            serde_json::from_slice(&answer.body).map_err(|_| unknown("the answer of Microsoft Graph can't be read"))?;
        // Nothing counts that was not asked about.
        found.extend(members.value.iter().map(|id| group_name(id)).filter(|id| asked.contains(&id.as_str())));
    }
    Ok(found)
}
