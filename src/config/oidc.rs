//! Sign-in with OpenID Connect: raw → validated.

use std::sync::Arc;

use url::Url;

use super::{
    draft::Draft,
    endpoints::{is_plain, leads_to_loopback},
    field::{Field, Word},
    matchers::{Known, whose},
    private::private,
    raw::{RawGrant, RawOidc, RawTenants},
    scope::{Problems, Scope},
    secrets,
    words::{one_of, visible},
};
use crate::{
    diagnostic::Warning,
    domain::{Complaint, Role},
    egress::{Egress, Private},
    oidc::{
        Entra, Grant, Reach, Settings, Who,
        grant::group_name,
        settings::{CALLBACK_PATH, GROUPS_CLAIM},
    },
};

/// Longest name of a group, a role, a claim, a scope or an app, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// What identifies a directory in place of the words that stand for any.
const ENTRA: &str = "write `https://login.microsoftonline.com/TENANT-ID/v2.0`, with the directory (tenant) ID that Entra shows on its \
     overview page";

/// What else the configuration says that matters here.
pub(super) struct Around<'a> {
    /// Whether `public_url` is written, good or bad.
    pub(super) has_public_url: bool,
    /// `public_url`, without a trailing slash.
    pub(super) public_url: Option<&'a str>,
    /// The base URL of Graph, where another is set.
    pub(super) graph: Option<&'a str>,
    /// The configured tenants, by which the limits of a grant are checked.
    pub(super) known: Known<'a>,
}

/// Reads what stands under `oidc:`.
pub(super) fn oidc(
    raw: Field<RawOidc>,
    at: &Scope<'_>,
    around: &Around<'_>,
    draft: &mut Draft,
) -> Option<Arc<Settings>> {
    let raw = draft.take(raw, at)?;
    at.only(RawOidc::KEYS, draft);
    let private = private(raw.allow_private, &at.key("allow_private"), draft);
    let here = at.key("issuer");
    let issuer = draft.require(raw.issuer, &here, "https://login.microsoftonline.com/TENANT-ID/v2.0");
    let issuer = issuer.and_then(|Word(text)| issuer_of(text, &private, &here, draft));
    let client_id = draft.require(raw.client_id, &at.key("client_id"), "6d2a0000-0000-4000-8000-000000000001");
    let client_id = client_id.and_then(|word| draft.parse(Field::Good(word), &at.key("client_id"), name));
    let (has_secret, here) = (raw.client_secret.is_written(), at.key("client_secret"));
    let client_secret = draft.take(raw.client_secret, &here).and_then(|raw| secrets::reference(raw, &here, draft));
    let groups_claim = if raw.groups_claim.is_written() {
        draft.parse(raw.groups_claim, &at.key("groups_claim"), name)
    } else {
        Some(GROUPS_CLAIM.to_owned())
    };
    let entra = issuer.as_ref().and_then(|(_, entra)| entra.clone());
    let entra = entra.map(|entra| Entra { graph: around.graph.map_or(entra.graph, str::to_owned), ..entra });
    let grants = grants(raw.grants, &at.key("grants"), entra.is_some(), &around.known, draft);
    let scopes = if raw.scopes.is_written() {
        Some(scopes(raw.scopes, &at.key("scopes"), draft))
    } else {
        grants.as_ref().map(|grants| Settings::usual_scopes(entra.as_ref(), grants))
    };
    let redirect_uri = redirect_uri(around, at, draft);
    if has_secret && client_secret.is_none() {
        return None;
    }
    let (issuer, _) = issuer?;
    Some(Arc::new(Settings {
        issuer,
        client_id: client_id?,
        client_secret,
        redirect_uri: redirect_uri?,
        scopes: scopes?,
        algorithms: Settings::usual_algorithms(),
        groups_claim: groups_claim?,
        grants: grants?,
        entra,
        private,
    }))
}

/// The issuer to the letter, and the directory of one of Entra's.
fn issuer_of(
    text: String,
    private: &Private,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Option<(String, Option<Entra>)> {
    if is_plain(&text) && !leads_to_loopback(&text) {
        let instead = "use `https:`, or `http:` with a loopback address";
        problems.error(at, "codes and tokens would travel in the open, whatever `allow_private` says", instead);
        return None;
    }
    let is_bare = Url::parse(&text).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
    let refused = match Egress::vet(&text.as_str().into(), private) {
        Ok(()) if is_bare => None,
        Ok(()) => Some("nothing may follow its path".to_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(refused) = refused {
        let instead =
            "write the provider's address; one inside your network, or on another port, needs `allow_private: [CIDR]`";
        problems.error(at, format!("no request may go there: {refused}"), instead);
        return None;
    }
    let Ok(entra) = Entra::of_issuer(&text) else {
        problems.error(at, "this is not the issuer of one Entra tenant, in version 2", ENTRA);
        return None;
    };
    Some((text, entra))
}

/// Where people come back to.
fn redirect_uri(around: &Around<'_>, at: &Scope<'_>, problems: &mut Problems) -> Option<String> {
    let instead = "write `public_url: https://scores.mssp.example` at the top of the main file";
    let Some(base) = around.public_url else {
        if !around.has_public_url {
            problems.error(at, "the provider can't send people back: there is no `public_url`", instead);
        }
        return None;
    };
    if is_plain(base) && !leads_to_loopback(base) {
        problems.error(at, "codes would travel in the open: `public_url` begins with `http:`", instead);
        return None;
    }
    Some(format!("{base}{CALLBACK_PATH}"))
}

/// A short text of visible characters.
fn name(text: &str) -> Result<String, Complaint> {
    if text.trim().is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(Complaint::new(format!("this is empty, or longer than {NAME_BYTES_MAX} bytes"), "write its name"));
    }
    visible(text)
}

fn scopes(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, problems: &mut Problems) -> Vec<String> {
    let mut scopes = Vec::new();
    for (index, word) in problems.items(raw, at) {
        let read = |text: &str| {
            let is_token = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
            let complaint =
                || Complaint::new("this is not a scope", "write each scope as an item of its own, like `profile`");
            name(text).ok().filter(|text| text.bytes().all(is_token)).ok_or_else(complaint)
        };
        scopes.extend(problems.parse(Field::Good(word), &at.item(index), read).filter(|scope| scope != "openid"));
    }
    scopes
}

/// `None`: there is none, or not each is good.
fn grants(
    raw: Field<Vec<Field<RawGrant>>>,
    at: &Scope<'_>,
    is_entra: bool,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Vec<Grant>> {
    let count = raw.count();
    if !raw.is_written() || count == Some(0) {
        let instead = "write `grants: [{ group: OBJECT-ID, role: analyst, tenants: all }]`";
        problems.missing(at, "nobody could sign in: there are no `grants`", instead);
    }
    let mut grants = Vec::new();
    for (index, raw) in problems.items(raw, at) {
        grants.extend(grant(raw, &at.item(index), is_entra, known, problems));
    }
    (count == Some(grants.len()) && !grants.is_empty()).then_some(grants)
}

fn grant(raw: RawGrant, at: &Scope<'_>, is_entra: bool, known: &Known<'_>, problems: &mut Problems) -> Option<Grant> {
    at.only(RawGrant::KEYS, problems);
    let written = [raw.group.is_written(), raw.app_role.is_written(), raw.anyone.is_written()];
    let count = written.into_iter().filter(|is_written| *is_written).count();
    if count > 1 || count == 0 && !problems.is_one_meant(at, &["group", "app_role", "anyone"]) {
        let what = if count == 0 { "this does not say who gets the role" } else { "a grant is for one kind of people" };
        problems.error(at, what, "write one of `group:`, `app_role:` and `anyone: true`");
    }
    let here = at.key("group");
    let group = problems.parse(raw.group, &here, name).map(|text| group_name(&text));
    if let Some(group) = group.as_ref().filter(|group| is_entra && uuid::Uuid::try_parse(group).is_err()) {
        let what = format!("`{group}` is not an object ID, by which Entra names groups");
        let instead = "write the group's object ID, unless the app registration puts names into tokens";
        problems.warning(Warning::GroupNotAnId, &here, what, instead);
    }
    let app_role = problems.parse(raw.app_role, &at.key("app_role"), name);
    let anyone = problems.parse(raw.anyone, &at.key("anyone"), |text| match text {
        "true" => Ok(Who::Anyone),
        _ => Err(Complaint::new("only `true` may be written here", "write `anyone: true`, or delete the grant")),
    });
    let who = group.map(Who::Group).or(app_role.map(Who::AppRole)).or(anyone);
    if !raw.role.is_written() {
        problems.missing(
            &at.key("role"),
            "`role` is missing",
            "write `role: viewer`, `role: analyst` or `role: admin`",
        );
    }
    let role = one_of(raw.role, &at.key("role"), &Role::ALL.map(|role| (role.as_str(), role)), problems);
    let reach = reach(raw.tenants, &at.key("tenants"), known, problems);
    Some(Grant { who: who.filter(|_| count == 1)?, role: role?, reach: reach? })
}

fn reach(raw: Field<RawTenants>, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Reach> {
    let (is_all, is_labels) = match &raw {
        Field::Absent => {
            let instead =
                "write `tenants: all`, ids like `tenants: [contoso]`, or labels like `tenants: { tier: gold }`";
            problems.missing(at, "this does not say for whose tenants", instead);
            return None;
        }
        Field::Good(RawTenants::All) => (true, false),
        Field::Good(RawTenants::Labels(_)) => (false, true),
        Field::Good(RawTenants::Ids(_)) | Field::Bad(_) => (false, false),
    };
    let (tenants, labels) = whose(raw, at, known, Warning::GrantCoversNobody, problems);
    // What is neither was reported.
    match (is_all, is_labels) {
        (true, _) => Some(Reach::All),
        (_, true) => (!labels.0.is_empty()).then(|| Reach::Some { tenants, labels: vec![labels] }),
        _ => (!tenants.is_empty()).then(|| Reach::Some { tenants, labels: Vec::new() }),
    }
}
