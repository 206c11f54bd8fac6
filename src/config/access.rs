//! Who has to sign in, and how.

use std::sync::Arc;

use super::{
    draft::Draft,
    field::Field,
    oidc::{Around, oidc},
    raw::RawAccess,
    scope::Scope,
};
use crate::oidc::Settings;

/// Who has to sign in, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessSettings {
    /// How people sign in with OpenID Connect; `None`: they don't.
    pub oidc: Option<Arc<Settings>>,
}

/// Reads what stands under `access:`.
pub(super) fn access(raw: Field<RawAccess>, at: &Scope<'_>, around: &Around<'_>, draft: &mut Draft) -> AccessSettings {
    let Some(raw) = draft.take(raw, at) else { return AccessSettings::default() };
    at.only(RawAccess::KEYS, draft);
    AccessSettings { oidc: oidc(raw.oidc, &at.key("oidc"), around, draft) }
}
