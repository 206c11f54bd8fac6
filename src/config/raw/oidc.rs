//! Sign-in with OpenID Connect as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{AllowPrivate, RawSecret, RawTenants, form};
use crate::config::field::{Field, Word};

raw! {
    /// Who has to sign in, and under which names the dashboard is reached.
    struct RawAccess {
        /// `auto`: unless only this machine can reach `listen`; `always`; `never`: only if `listen` is a loopback address.
        #[schemars(with = "form::SignInWord")]
        sign_in: Word,
        /// Names, in addition to that of `public_url`, under which dashboard, API and metrics are reached.
        hosts: Vec<Field<Word>>,
        /// Proxies whose `X-Forwarded-For` says who sent a request: addresses or CIDRs.
        trusted_proxies: Vec<Field<Word>>,
        /// What people and tokens that are limited to some tenants see in addition to the facts about these: `labels`, `about` (which includes
        /// `runbook`), `channels` (names of channels that others share, and what was sent there), `operator` (messages to the operator).
        /// Absent: nothing of that.
        #[schemars(with = "Vec<form::SeenWord>")]
        show: Vec<Field<Word>>,
        /// How people sign in with OpenID Connect; absent: they don't.
        oidc: RawOidc,
    }

    /// Sign-in with OpenID Connect.
    #[schemars(extend("required" = ["issuer", "client_id", "grants"]))]
    struct RawOidc {
        /// The provider, as its discovery document calls itself: `https://login.microsoftonline.com/TENANT-ID/v2.0`.
        #[schemars(with = "form::WebAddress")]
        issuer: Word,
        /// The client ID of the app that people sign in to.
        client_id: Word,
        /// The client secret of the app, as a reference; absent: the app is a public client.
        client_secret: RawSecret,
        /// What is asked for in addition to `openid`; absent: `profile`, `email` and, with Entra and groups, what the app may read in Graph.
        scopes: Vec<Field<Word>>,
        /// The claim of ID tokens that has a person's groups: `groups`.
        groups_claim: Word,
        /// Who gets which role for whose tenants. Nobody without a grant gets in.
        grants: Vec<Field<RawGrant>>,
        /// Private networks in which the provider may be: `true`, `false` or a list of networks.
        allow_private: AllowPrivate,
    }

    /// A role for some tenants, for whoever is in a group, has an app role, or can sign in at all.
    #[schemars(extend("required" = ["role", "tenants"], "oneOf" = form::one_of(&["group", "app_role", "anyone"])))]
    struct RawGrant {
        /// The group, as ID tokens name it; with Entra, its object ID.
        group: Word,
        /// The value of an app role, which Entra puts into the claim `roles`.
        app_role: Word,
        /// `true`: for everybody whom the provider signs in to the app.
        #[schemars(with = "form::True")]
        anyone: Word,
        /// `viewer`, `analyst` or `admin`.
        #[schemars(with = "form::RoleName")]
        role: Word,
        /// For whose tenants: `all`, a list of tenants, or labels.
        tenants: RawTenants,
    }
}
