//! Tokens, accounts and sessions.

use scorewatch::{
    domain::{Caller, Limits, Role},
    store::{
        EntryFilter, NewAccount, NewEntry, NewPersonSession, NewSession, NewToken, PasswordHash, Person, SecretDigest,
        Store,
    },
};

use super::{fixture::*, tenant::entra};

pub(super) fn by(action: &'static str, seconds: i64) -> NewEntry {
    NewEntry::by(&Caller::local("ann"), action, None, at(seconds))
}

pub(super) fn token(name: &str, secret: &str) -> NewToken {
    let limits = Limits::Only { tenants: Some([entra(7)].into()), labels: None };
    NewToken {
        name: name.to_owned(),
        digest: SecretDigest::of(secret),
        role: Role::Analyst,
        limits,
        created_at: at(0),
        created_by: "ann".to_owned(),
        expires_at: Some(at(100)),
    }
}

pub(super) fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        password: PasswordHash("$argon2id$1".to_owned()),
        role: Role::Viewer,
        limits: Limits::All,
        created_at: at(0),
        created_by: "ann".to_owned(),
    }
}

async fn recorded(store: &dyn Store) -> Vec<String> {
    store.entries(&EntryFilter::default()).await.unwrap().into_iter().map(|entry| entry.action).rev().collect()
}

async fn a_token_is_found_by_its_digest_until_it_is_revoked_and_its_name_is_then_free() {
    let fixture = Fixture::new().await;
    assert!(fixture.store.add_token(token("grafana", "one"), by("token.create", 0)).await.unwrap());
    assert!(!fixture.store.add_token(token("grafana", "two"), by("token.create", 1)).await.unwrap(), "taken");
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    assert_eq!(store.find_token(SecretDigest::of("two")).await.unwrap(), None);
    let found = store.find_token(SecretDigest::of("one")).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.role, found.last_used_at), ("grafana", Role::Analyst, None));
    assert_eq!(found.limits, token("grafana", "one").limits);
    assert!(found.is_valid(at(99)) && !found.is_valid(at(100)));
    store.token_used(found.id, at(20)).await.unwrap();
    store.token_used(found.id, at(10)).await.unwrap();
    assert_eq!(store.tokens().await.unwrap()[0].last_used_at, Some(at(20)), "a use is not taken back");
    assert!(store.revoke_token("grafana", by("token.revoke", 30)).await.unwrap());
    assert!(!store.revoke_token("grafana", by("token.revoke", 31)).await.unwrap(), "once");
    let revoked = store.find_token(SecretDigest::of("one")).await.unwrap().unwrap();
    assert_eq!((revoked.revoked_at, revoked.is_valid(at(31))), (Some(at(30)), false));
    assert!(store.add_token(token("grafana", "three"), by("token.create", 40)).await.unwrap());
    let states: Vec<_> = store.tokens().await.unwrap().iter().map(|token| token.revoked_at).collect();
    assert_eq!(states, [None, Some(at(30))], "newest first");
    assert_eq!(recorded(store).await, ["token.create", "token.revoke", "token.create"], "only what changed something");
}

async fn begin(store: &dyn Store, name: &str, cookie: &str, seconds: i64) {
    let (account, _) = store.find_account(name).await.unwrap().unwrap();
    let (created_at, expires_at) = (at(seconds), at(seconds + 10_000));
    let session = NewSession { digest: SecretDigest::of(cookie), account: account.id, created_at, expires_at };
    store.add_session(session, by("sign-in", seconds)).await.unwrap();
}

async fn sessions_end_at_sign_out_with_a_new_password_and_with_the_account() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    for name in ["ben", "carol"] {
        assert!(store.add_account(account(name), by("account.add", 0)).await.unwrap());
    }
    assert!(!store.add_account(account("ben"), by("account.add", 0)).await.unwrap(), "taken");
    let is_in = async |cookie: &str| store.find_session(SecretDigest::of(cookie)).await.unwrap().is_some();
    for cookie in ["b1", "b2", "c1"] {
        begin(store, if cookie == "c1" { "carol" } else { "ben" }, cookie, 10).await;
    }
    let session = store.find_session(SecretDigest::of("b1")).await.unwrap().unwrap();
    assert_eq!((session.account.name.as_str(), session.account.last_signed_in_at), ("ben", Some(at(10))));
    // Two hours without use, and the end in any case.
    assert!(session.is_valid(at(7_209)) && !session.is_valid(at(7_210)));
    store.session_used(SecretDigest::of("b1"), at(60)).await.unwrap();
    let used = store.find_session(SecretDigest::of("b1")).await.unwrap().unwrap();
    assert!(used.is_valid(at(7_259)) && !used.is_valid(at(7_260)));
    store.session_used(SecretDigest::of("b1"), at(7_000)).await.unwrap();
    let used = store.find_session(SecretDigest::of("b1")).await.unwrap().unwrap();
    assert!(used.is_valid(at(10_009)) && !used.is_valid(at(10_010)));

    assert!(store.end_session(SecretDigest::of("b1"), by("sign-out", 70)).await.unwrap());
    assert!(!store.end_session(SecretDigest::of("b1"), by("sign-out", 71)).await.unwrap());
    assert_eq!((is_in("b1").await, is_in("b2").await), (false, true));
    let new = PasswordHash("$argon2id$2".to_owned());
    assert!(store.set_password("ben", new.clone(), by("account.set-password", 80)).await.unwrap());
    assert!(!store.set_password("nobody", new.clone(), by("account.set-password", 80)).await.unwrap());
    assert_eq!((is_in("b2").await, is_in("c1").await), (false, true));
    let (record, password) = store.find_account("ben").await.unwrap().unwrap();
    assert!(password == new && record.password_set_at == at(80));

    assert!(store.disable_account("carol", true, by("account.disable", 90)).await.unwrap());
    assert!(!store.disable_account("carol", true, by("account.disable", 91)).await.unwrap(), "it is so already");
    assert!(!store.disable_account("nobody", true, by("account.disable", 91)).await.unwrap());
    assert!(!is_in("c1").await);
    assert_eq!(store.accounts().await.unwrap()[1].disabled_at, Some(at(90)));
    assert!(store.disable_account("carol", false, by("account.enable", 92)).await.unwrap());
    assert_eq!(store.accounts().await.unwrap()[1].disabled_at, None);
    begin(store, "carol", "c2", 100).await;
    begin(store, "ben", "b3", 12_000).await;
    assert_eq!((is_in("c2").await, is_in("b3").await), (false, true), "those that are over are removed");
}

#[test]
fn digests_and_hashes_do_not_show() {
    let shown = format!("{:?} {:?}", token("grafana", "one"), account("ben"));
    assert!(!shown.contains("argon2id") && shown.contains("SecretDigest"), "{shown}");
}

async fn a_session_without_an_account_keeps_who_it_is_and_ends_like_any_other() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let person = Person {
        issuer: "https://login.example".to_owned(),
        client_id: "app".to_owned(),
        subject: "AAAA".to_owned(),
        name: "ann@mssp.example".to_owned(),
        groups: ["soc".to_owned()].into(),
        app_roles: ["lead".to_owned()].into(),
    };
    let digest = SecretDigest::of("p1");
    let new = |cookie: &str, seconds: i64| NewPersonSession {
        digest: SecretDigest::of(cookie),
        person: person.clone(),
        created_at: at(seconds),
        expires_at: at(seconds + 10_000),
    };
    store.add_person_session(new("p1", 10), by("sign-in", 10)).await.unwrap();
    let found = store.find_person_session(digest).await.unwrap().unwrap();
    assert_eq!(found.person, person);
    assert!(store.find_session(digest).await.unwrap().is_none(), "no account has it");
    assert!(found.is_valid(at(7_209)) && !found.is_valid(at(7_210)));
    store.session_used(digest, at(60)).await.unwrap();
    assert!(store.find_person_session(digest).await.unwrap().unwrap().is_valid(at(7_259)));
    assert!(store.end_session(digest, by("sign-out", 70)).await.unwrap());
    assert!(!store.end_session(digest, by("sign-out", 71)).await.unwrap());
    assert!(store.find_person_session(digest).await.unwrap().is_none());
    store.add_person_session(new("p2", 100), by("sign-in", 100)).await.unwrap();
    store.add_person_session(new("p3", 10_100), by("sign-in", 10_100)).await.unwrap();
    assert!(store.find_person_session(SecretDigest::of("p2")).await.unwrap().is_none(), "it was over");
    assert_eq!(recorded(store).await, ["sign-in", "sign-out", "sign-in", "sign-in"]);
}

on_both! {
    a_token_is_found_by_its_digest_until_it_is_revoked_and_its_name_is_then_free,
    sessions_end_at_sign_out_with_a_new_password_and_with_the_account,
    a_session_without_an_account_keeps_who_it_is_and_ends_like_any_other,
}
