//! Groups and what they allow; groups that a token has no room for.

use serde_json::{Value, json};

use super::world::*;
use crate::{
    domain::Role,
    egress::loopback::{Reply, reply},
    oidc::{Grant, Reach, SignInFailure, Who},
};

fn overage(token: &mut Token) {
    token.claims.as_object_mut().unwrap().remove("groups");
    token.claims["_claim_names"] = json!({ "groups": "src1" });
    token.claims["_claim_sources"] = json!({ "src1": { "endpoint": "http://127.0.0.1:1/users/x/getMemberObjects" } });
}

#[tokio::test]
async fn groups_that_a_token_has_no_room_for_are_looked_up_in_graph() {
    let world = World::new().await;
    let stranger = "0a0a0a0a-0000-4000-8000-00000000ffff";
    world.plan(|plan| {
        plan.graph = Box::new(move |_| json_reply(200, &json!({ "value": [LEADS.to_uppercase(), stranger] })));
    });
    let signed_in = world.sign_in(overage).await.unwrap();
    assert_eq!(signed_in.granted.role, Role::Admin);
    assert_eq!(signed_in.membership.groups, [LEADS.to_owned()].into(), "what was not asked about does not count");
    let seen = world.last("POST /graph/v1.0/me/checkMemberGroups ");
    assert!(seen.head.contains(&format!("authorization: Bearer {ACCESS_TOKEN}\r\n")), "{}", seen.head);
    assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), json!({ "groupIds": [SOC, LEADS] }));
    // The implicit form of the same.
    let implicit = |token: &mut Token| {
        token.claims.as_object_mut().unwrap().remove("groups");
        token.claims["hasgroups"] = "true".into();
    };
    assert_eq!(world.sign_in(implicit).await.unwrap().granted.role, Role::Admin);
    world.sign_in(|_| {}).await.unwrap();
    assert_eq!(world.server.count("POST /graph/"), 2, "a token with groups is enough");
}

#[tokio::test]
async fn many_groups_are_asked_about_in_small_portions() {
    let group = |number: u32| format!("0a0a0a0a-0000-4000-8000-{number:012}");
    let grants = (0..45).map(|number| Grant {
        who: Who::Group(group(number)),
        role: if number == 44 { Role::Admin } else { Role::Viewer },
        reach: Reach::All,
    });
    let world = World::with(|settings| settings.grants = grants.collect()).await;
    world.plan(|plan| {
        plan.graph = Box::new(|seen| {
            let asked: Value = serde_json::from_str(&seen.body).unwrap();
            let asked = asked["groupIds"].as_array().unwrap();
            assert!(asked.len() <= 20);
            json_reply(200, &json!({ "value": [asked[asked.len() - 1]] }))
        });
    });
    assert_eq!(world.sign_in(overage).await.unwrap().granted.role, Role::Admin);
    assert_eq!(world.server.count("POST /graph/"), 3);
}

/// What Graph answers, and what is said of it.
type Answer = (fn() -> Reply, &'static str);

#[tokio::test]
async fn groups_that_can_not_be_looked_up_let_nobody_in_and_the_way_out_is_named() {
    let world = World::new().await;
    let answers: [Answer; 4] = [
        (|| reply(403, "", ""), "Microsoft Graph does not let the app look them up (HTTP 403)"),
        (|| reply(429, "", ""), "Microsoft Graph answers with HTTP 429"),
        (|| json_reply(200, &json!({ "value": [7] })), "the answer of Microsoft Graph can't be read"),
        (|| reply(200, "", "<html>"), "the answer of Microsoft Graph can't be read"),
    ];
    for (answer, why) in answers {
        world.plan(|plan| plan.graph = Box::new(move |_| answer()));
        // Not even by the app role, which would be less than they are due.
        let error = world
            .sign_in(|token| {
                overage(token);
                token.claims["roles"] = json!(["readers"]);
            })
            .await
            .unwrap_err();
        let what = format!("the person is in more groups than a token has room for, and {why}");
        assert_eq!((error.failure, &*error.what), (SignInFailure::GroupsUnknown, what.as_str()));
        assert!(
            error.hint.contains(if why.contains("403") { "GroupMember.Read.All" } else { "again" })
                || error.hint.contains("app_role:")
        );
    }
    world.plan(|plan| {
        plan.token = Box::new(|mut tokens| {
            tokens.as_object_mut().unwrap().remove("access_token");
            json_reply(200, &tokens)
        });
    });
    let error = world.sign_in(overage).await.unwrap_err();
    assert!(error.what.contains("granted no token") && error.hint.contains("app_role:"), "{error}");
    // Another provider, and a name where only an ID can be asked about.
    let world = World::with(|settings| settings.entra = None).await;
    assert_eq!(world.sign_in(overage).await.unwrap_err().failure, SignInFailure::GroupsUnknown);
    let named = Grant { who: Who::Group("SOC".to_owned()), role: Role::Viewer, reach: Reach::All };
    let world = World::with(|settings| settings.grants.push(named)).await;
    assert!(world.sign_in(overage).await.unwrap_err().what.contains("object IDs only"));
    // Who needs no groups asks for none.
    let world = World::with(|settings| settings.grants.retain(|grant| matches!(grant.who, Who::AppRole(_)))).await;
    let signed_in = world.sign_in(|token| {
        overage(token);
        token.claims["roles"] = json!(["readers", "others"]);
    });
    let signed_in = signed_in.await.unwrap();
    assert_eq!((signed_in.granted.role, signed_in.membership.app_roles), (Role::Viewer, ["readers".to_owned()].into()));
    assert_eq!(world.server.count("POST /graph/"), 0);
}

#[tokio::test]
async fn nobody_without_a_grant_gets_in() {
    let world = World::new().await;
    for (groups, what) in [
        (Some(json!([])), "no grant covers this account"),
        (Some(json!(["0a0a0a0a-0000-4000-8000-00000000ffff"])), "no grant covers this account"),
        (Some(json!({ SOC: true })), "no grant covers this account"),
        (Some(json!([[SOC]])), "no grant covers this account"),
        (None, "no grant covers this account, and the ID token has no claim `groups`"),
    ] {
        let error = world.sign_in(|token| match groups {
            Some(groups) => token.claims["groups"] = groups,
            None => drop(token.claims.as_object_mut().unwrap().remove("groups")),
        });
        let error = error.await.unwrap_err();
        assert_eq!((error.failure, &*error.what), (SignInFailure::NotGranted, what));
    }
    let elsewhere = World::with(|settings| settings.groups_claim = "teams".to_owned()).await;
    assert!(elsewhere.sign_in(|_| {}).await.is_err());
    let signed_in = elsewhere.sign_in(|token| token.claims["teams"] = SOC.to_uppercase().into()).await.unwrap();
    assert_eq!(signed_in.granted.role, Role::Analyst);
}
