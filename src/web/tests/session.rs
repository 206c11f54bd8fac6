//! Sessions and tokens: when they are over, and what is said then.

use super::access::{Fixture, PASSWORD, PUBLIC};
use crate::{
    action::account,
    domain::{Caller, Role},
};

#[tokio::test]
async fn whoever_signs_in_again_leaves_no_session_behind() {
    let fixture = Fixture::new(PUBLIC).await;
    fixture.account("ann", Role::Viewer).await;
    fixture.account("ben", Role::Viewer).await;
    let first = fixture.sign_in("ann", PASSWORD, "").await.cookie();
    let form = format!("name=ben&password={}&to=", PASSWORD.replace(' ', "+"));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://scores.example"),
        ("cookie", first.as_str()),
    ];
    let second = fixture.send("POST /sign-in", &headers, &form).await.cookie();
    for (cookie, status) in [(&first, 401), (&second, 200)] {
        assert_eq!(fixture.get("/api/v1/tenants", &[("cookie", cookie)]).await.status, status);
    }
    let recorded = fixture.recorded().await;
    assert_eq!(recorded[2..], ["ann sign-in", "ben sign-in", "ann sign-out"]);
}

#[tokio::test]
async fn a_refused_token_is_given_the_reason() {
    let fixture = Fixture::new(PUBLIC).await;
    let answer = fixture.get("/api/v1/tenants", &[("authorization", "Bearer swt_x")]).await;
    assert!(answer.status == 401 && answer.body.contains("unknown, expired or revoked"), "{answer:?}");
}

#[tokio::test]
async fn a_session_ends_after_two_idle_hours_after_twelve_in_all_and_with_a_new_password() {
    let fixture = Fixture::new(PUBLIC).await;
    fixture.account("ann", Role::Viewer).await;
    let cookie = fixture.sign_in("ann", PASSWORD, "").await.cookie();
    let status = async |cookie: &str| fixture.get("/api/v1/tenants", &[("cookie", cookie)]).await.status;
    for _ in 0..11 {
        fixture.clock.advance(std::time::Duration::from_mins(65));
        assert_eq!(status(&cookie).await, 200);
    }
    fixture.clock.advance(std::time::Duration::from_mins(5));
    assert_eq!(status(&cookie).await, 401, "twelve hours");
    let cookie = fixture.sign_in("ann", PASSWORD, "").await.cookie();
    fixture.clock.advance(std::time::Duration::from_hours(2));
    assert_eq!(status(&cookie).await, 401, "idle");
    let cookie = fixture.sign_in("ann", PASSWORD, "").await.cookie();
    let (store, caller, now) = (fixture.store.as_ref(), Caller::local("root"), fixture.clock.now());
    account::set_password(store, &caller, "ann", "another horse battery".into(), now).await.unwrap();
    assert_eq!(status(&cookie).await, 401, "a new password");
    let cookie = fixture.sign_in("ann", "another horse battery", "").await.cookie();
    account::disable(store, &caller, "ann", true, now).await.unwrap();
    assert_eq!(status(&cookie).await, 401, "disabled");
    assert_eq!(fixture.sign_in("ann", "another horse battery", "").await.status, 401);
}
