//! Who may sign in with OpenID Connect, and mistakes in saying so.

use super::{MAIN, RULES, TENANT, read};
use crate::{
    domain::Role,
    egress::Private,
    oidc::{Reach, Settings, Who},
};

const ENTRA: &str = "issuer: https://login.microsoftonline.com/2f1c0a5e-0000-4000-8000-000000000001/v2.0";
const SOC: &str = "2f1c0a5e-0000-4000-8000-0000000000ab";
const GRANT: &str = "{ app_role: analyst, role: analyst, tenants: all }";

fn main_file(public_url: &str, oidc: &str) -> String {
    MAIN.replace("operator: {", &format!("{public_url}\naccess:\n  oidc: {oidc}\noperator: {{"))
}

fn settings(oidc: &str) -> Settings {
    let (loaded, text) = read(&main_file("public_url: https://scores.mssp.example/", oidc), TENANT, RULES);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    (*config.access.oidc.unwrap()).clone()
}

#[test]
fn a_short_entry_for_entra_says_everything() {
    let oidc = format!(
        "{{ {ENTRA}, client_id: 6d2a0000-0000-4000-8000-000000000002, client_secret: {{ file: secret }}, grants: [\
           {{ group: {}, role: analyst, tenants: all }}, {{ app_role: contoso-it, role: viewer, tenants: [contoso] }}, \
           {{ anyone: true, role: viewer, tenants: {{ tier: gold }} }}] }}",
        SOC.to_uppercase()
    );
    let found = settings(&oidc);
    assert_eq!(found.redirect_uri, "https://scores.mssp.example/sign-in/oidc/callback");
    assert_eq!(found.scopes, ["profile", "email", "https://graph.microsoft.com/.default"]);
    assert_eq!((found.groups_claim.as_str(), &found.private), ("groups", &Private::Refused));
    assert_eq!(found.entra.unwrap().tenant.to_string(), "2f1c0a5e-0000-4000-8000-000000000001");
    assert_eq!(found.algorithms, Settings::usual_algorithms());
    let [soc, contoso, anyone] = found.grants.as_slice() else { panic!("{:?}", found.grants) };
    assert_eq!((&soc.who, soc.role, &soc.reach), (&Who::Group(SOC.to_owned()), Role::Analyst, &Reach::All));
    assert_eq!((&contoso.who, contoso.role), (&Who::AppRole("contoso-it".to_owned()), Role::Viewer));
    assert!(matches!(&contoso.reach, Reach::Some { tenants, labels } if tenants.len() == 1 && labels.is_empty()));
    assert!(matches!(&anyone.reach, Reach::Some { tenants, labels } if tenants.is_empty() && labels.len() == 1));
    assert_eq!(anyone.who, Who::Anyone);
}

#[test]
fn another_provider_needs_no_secret_and_may_be_inside_the_network() {
    let found = settings(
        "{ issuer: https://sso.mssp.example:8443/realms/soc/, client_id: scorewatch, allow_private: [10.0.0.0/8], \
           groups_claim: teams, scopes: [openid, profile], grants: [{ group: soc, role: admin, tenants: all }] }",
    );
    assert_eq!(found.issuer, "https://sso.mssp.example:8443/realms/soc/", "to the letter");
    assert_eq!((found.client_secret, found.entra, found.scopes), (None, None, vec!["profile".to_owned()]));
    assert_eq!(found.groups_claim, "teams");
}

fn entra(rest: &str) -> String {
    format!("{{ {ENTRA}, client_id: x, {rest} }}")
}

/// What is written, and what is reported.
fn mistakes() -> Vec<(String, &'static str)> {
    vec![
        ("{}".to_owned(), "access.oidc.issuer: `issuer` is missing; write `issuer: https://login.microsoftonline.com/"),
        (format!("{{ {ENTRA}, grants: [{GRANT}] }}"), "access.oidc.client_id: `client_id` is missing"),
        (entra("scope: [profile]"), "access.oidc.scope: unknown key `scope`; did you mean `scopes`?"),
        (entra("grants: []"), "access.oidc.grants: nobody could sign in: there are no `grants`"),
        (
            format!("{{ issuer: https://login.microsoftonline.com/common/v2.0, client_id: x, grants: [{GRANT}] }}"),
            "access.oidc.issuer: this is not the issuer of one Entra tenant, in version 2",
        ),
        (
            format!("{{ issuer: http://sso.mssp.example, client_id: x, grants: [{GRANT}] }}"),
            "access.oidc.issuer: codes and tokens would travel in the open",
        ),
        (
            format!("{{ issuer: https://10.0.0.1, client_id: x, grants: [{GRANT}] }}"),
            "access.oidc.issuer: no request may go there: the address is not allowed",
        ),
        (
            format!("{{ issuer: http://127.0.0.1:9000, client_id: x, grants: [{GRANT}] }}"),
            "access.oidc.issuer: no request may go there: the address is not allowed",
        ),
        (
            entra(&format!("client_secret: hunter2-literal, grants: [{GRANT}]")),
            "access.oidc.client_secret: this is the secret itself, not the place where it is kept",
        ),
        (
            entra(&format!("client_secret: {{ file: gone }}, grants: [{GRANT}]")),
            "access.oidc.client_secret: file `gone` does not exist",
        ),
        (entra(&format!("groups_claim: '', grants: [{GRANT}]")), "access.oidc.groups_claim: this is empty"),
        (entra(&format!("scopes: ['a b'], grants: [{GRANT}]")), "access.oidc.scopes[0]: this is not a scope"),
    ]
}

fn mistakes_in_grants() -> Vec<(String, &'static str)> {
    vec![
        (
            entra("grants: [{ role: viewer, tenants: all }]"),
            "access.oidc.grants[0]: this does not say who gets the role",
        ),
        (
            entra("grants: [{ group: a, anyone: true, role: viewer, tenants: all }]"),
            "access.oidc.grants[0]: a grant is for one kind of people",
        ),
        (
            entra("grants: [{ anyone: false, role: viewer, tenants: all }]"),
            "access.oidc.grants[0].anyone: only `true` may be written here",
        ),
        (entra("grants: [{ anyone: true, tenants: all }]"), "access.oidc.grants[0].role: `role` is missing"),
        (
            entra("grants: [{ anyone: true, role: owner, tenants: all }]"),
            "access.oidc.grants[0].role: `owner` is not known here",
        ),
        (
            entra("grants: [{ anyone: true, role: viewer }]"),
            "access.oidc.grants[0].tenants: this does not say for whose tenants",
        ),
        (
            entra("grants: [{ anyone: true, role: viewer, tenants: [contosso] }]"),
            "access.oidc.grants[0].tenants[0]: there is no tenant `contosso`; did you mean `contoso`?",
        ),
        (
            entra("grants: [{ anyone: true, role: viewer, tenants: { tier: tin } }]"),
            "warning[grant-covers-nobody]: access.oidc.grants[0].tenants: no tenant has these labels",
        ),
        (
            entra("grants: [{ group: SOC Analysts, role: viewer, tenants: all }]"),
            "warning[group-not-an-id]: access.oidc.grants[0].group: `SOC Analysts` is not an object ID",
        ),
    ]
}

#[test]
fn a_mistake_in_sign_in_is_reported_at_its_place() {
    for (written, reported) in mistakes().into_iter().chain(mistakes_in_grants()) {
        let (loaded, text) = read(&main_file("public_url: https://scores.mssp.example", &written), TENANT, RULES);
        assert!(text.contains(reported), "{written}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
        let is_secret_only = reported.contains("does not exist");
        assert_eq!(loaded.config.is_some(), reported.starts_with("warning") || is_secret_only, "{written}: {text}");
    }
}

#[test]
fn nobody_can_be_sent_back_without_a_public_address() {
    let oidc = format!("{{ {ENTRA}, client_id: x, grants: [{GRANT}] }}");
    for (public_url, reported) in [
        ("", "access.oidc: the provider can't send people back: there is no `public_url`"),
        ("public_url: http://scores.mssp.example", "access.oidc: codes would travel in the open"),
    ] {
        let (loaded, text) = read(&main_file(public_url, &oidc), TENANT, RULES);
        assert!(text.contains(reported) && loaded.config.is_none(), "{text}");
    }
    let (loaded, text) = read(&main_file("public_url: http://127.0.0.1:8080", &oidc), TENANT, RULES);
    let found = loaded.config.unwrap_or_else(|| panic!("{text}")).access.oidc.unwrap();
    assert_eq!(found.redirect_uri, "http://127.0.0.1:8080/sign-in/oidc/callback");
}
