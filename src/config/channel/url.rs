//! Where a channel sends to: a secret, or a URL in the open.

use secrecy::ExposeSecret;

use super::super::{draft::Draft, field::Field, raw::RawSecret, scope::Scope, secrets};
use crate::{
    channel::{ComposeError, WebhookUrl, guard},
    domain::Complaint,
    egress::Private,
    secret::SecretReference,
};

/// A URL that is a secret.
pub(super) fn secret_url(raw: Field<RawSecret>, at: &Scope<'_>, draft: &mut Draft) -> Option<SecretReference> {
    let here = at.key("url");
    let url = draft.require(raw, &here, "{ file: secrets/url }")?;
    secrets::reference(url, &here, draft)
}

/// A URL that may be one.
pub(super) fn webhook_url(raw: Field<RawSecret>, at: &Scope<'_>, draft: &mut Draft) -> Option<WebhookUrl> {
    let here = at.key("url");
    Some(match draft.require(raw, &here, "{ file: secrets/url }")? {
        RawSecret::Address(url) => WebhookUrl::Open(url.expose_secret().to_owned()),
        RawSecret::Literal => return without_scheme(&here, draft),
        RawSecret::Path(path) if !secrets::is_file(&path, &here) => return without_scheme(&here, draft),
        url => WebhookUrl::Secret(secrets::reference(url, &here, draft)?),
    })
}

/// Complains of a text that is not a URL. It may hold a secret, and so is not repeated.
fn without_scheme(at: &Scope<'_>, draft: &mut Draft) -> Option<WebhookUrl> {
    let instead = "write `https://` before it, or `{ file: PATH }` if the URL is a secret";
    draft.error(at, "a URL must begin with `https://`", instead);
    None
}

/// A base URL; one in the open is checked immediately.
pub(super) fn base_url(raw: RawSecret, private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<WebhookUrl> {
    let url = match raw {
        RawSecret::Address(url) => url,
        RawSecret::Literal => return without_scheme(at, draft),
        RawSecret::Path(path) if !secrets::is_file(&path, at) => return without_scheme(at, draft),
        reference => return Some(WebhookUrl::Secret(secrets::reference(reference, at, draft)?)),
    };
    if let Err(error) = guard::base(url.expose_secret(), private) {
        let (what, instead) = match error {
            ComposeError::Url(Complaint { what, instead }) => {
                (format!("the channel's URL is refused: {what}"), instead)
            }
            other => (other.to_string(), "write the base URL".into()),
        };
        draft.error(at, what, instead);
        return None;
    }
    Some(WebhookUrl::Open(url.expose_secret().to_owned()))
}
