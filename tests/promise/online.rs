//! `check --online` says what each tenant lacks, beside the running service, and neither writes nor sends anything.

use scorewatch::simulation::cloud::{EntraRefusal, SignIn};
use serde_json::{Value, json};

use crate::harness::{OPS, SOC, World, entra};

/// What the report for machines says of each tenant.
fn each_tenant_has_its_line(report: &Value, base: &str) {
    let line = |id: &str| {
        let lines = report["tenants"].as_array().unwrap();
        lines.iter().find(|line| line["tenant"] == id).unwrap_or_else(|| panic!("{report:#}"))
    };
    let fine = line("contoso");
    assert_eq!((&fine["token"], &fine["roles"]), (&json!("ok"), &json!(["Score.Read.All"])));
    let role = "SecurityRecommendation.Read.All";
    assert_eq!(fine["roles_optional"], json!({ role: "missing" }), "which is no failure");
    assert_eq!((&fine["roles_missing"], &fine["hints"]), (&json!([]), &json!([])));
    assert_eq!(
        fine["scores"][0],
        json!({ "score": "device-secure-score", "subject": null, "value": 500.0, "outcome": "ok" })
    );
    let without_consent = line("fabrikam");
    assert_eq!(
        (&without_consent["token"], &without_consent["roles_missing"]),
        (&json!("ok"), &json!(["Score.Read.All"]))
    );
    assert_eq!(
        (&without_consent["scores"][0]["outcome"], &without_consent["consent_needed"]),
        (&json!("role-missing"), &json!(true))
    );
    let absent = line("tailspin");
    assert_eq!((&absent["token"], &absent["roles"]), (&json!("consent-missing"), &Value::Null));
    let app = uuid::Uuid::from_u128(0xa99);
    let consent = format!("{base}/{}/adminconsent?client_id={app}", entra("tailspin"));
    assert_eq!((&absent["consent_link"], &absent["consent_needed"]), (&json!(consent), &json!(true)));
    let wrong = line("woodgrove");
    assert_eq!((&wrong["token"], &wrong["consent_needed"]), (&json!("secret-wrong"), &json!(false)));
    assert!(wrong["hints"][0].as_str().unwrap().contains("not its ID"), "{wrong:#}");
    assert!(report["channels"].as_array().unwrap().iter().all(|channel| channel["outcome"] == "ok"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_online_check_says_what_each_tenant_lacks() {
    let mut world = World::new().await;
    for tenant in ["fabrikam", "tailspin", "woodgrove"] {
        world.add_tenant(tenant);
    }
    world.cloud.set_roles(entra("fabrikam"), &["Machine.Read.All"]);
    world.cloud.set_sign_in(entra("tailspin"), Some(SignIn::Refuse(EntraRefusal::AppUnknown)));
    world.cloud.set_sign_in(entra("woodgrove"), Some(SignIn::Refuse(EntraRefusal::SecretWrong)));
    world.write();

    let output = world.command(&["check", "--online", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let base = world.cloud.base_url();
    each_tenant_has_its_line(&report, &base);

    let output = world.command(&["check", "--online"]).await;
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(complained.lines().last(), Some("3 of 5 tenants can't be read"));
    assert!(complained.contains("is the operator's only one"), "{complained}");
    let said = said.replace(&base, "https://login.example");
    insta::assert_snapshot!(said, @r#"
     TENANT     TOKEN            ROLES             ROLES MISSING   OPTIONAL ROLES                           SCORES                               WHAT TO DO
     contoso    ok               Score.Read.All    -               SecurityRecommendation.Read.All missing  device-secure-score 500
     fabrikam   ok               Machine.Read.All  Score.Read.All  SecurityRecommendation.Read.All missing  device-secure-score role-missing     grant the app role `Score.Read.All` of WindowsDefenderATP and have an administrator consent to it
     sentinel   ok               Score.Read.All    -               SecurityRecommendation.Read.All missing  device-secure-score 500
     tailspin   consent-missing  -                 -               -                                        device-secure-score consent-missing  have an administrator of the tenant consent to the app, and check `client_id` and `tenant_id`
     woodgrove  secret-wrong     -                 -               -                                        device-secure-score secret-wrong     store the client secret's value, not its ID, or create a new secret in the app registration

    Scores can be read without `SecurityRecommendation.Read.All`; with it, alerts on Defender scores say what regressed.

     CHANNEL  TYPE     ADDRESS
     ops      webhook  ok
     soc      webhook  ok

     TENANT    NAME          CONSENT LINK, FOR AN ADMINISTRATOR OF THE TENANT
     fabrikam  fabrikam Ltd  https://login.example/00000000-0000-0000-095e-907be19e9680/adminconsent?client_id=00000000-0000-0000-0000-000000000a99
     tailspin  tailspin Ltd  https://login.example/00000000-0000-0000-097f-7eb8e1d33cad/adminconsent?client_id=00000000-0000-0000-0000-000000000a99
    "#);
    assert!(!world.folder.path().join("data/scorewatch.db").exists(), "nothing is written");
    assert!(world.receivers.received().is_empty(), "nobody is notified");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_online_check_runs_beside_the_service_and_minds_its_arguments() {
    let mut world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    world.cloud.set_roles(entra("contoso"), &["Score.Read.All", "SecurityRecommendation.Read.All"]);
    let output = world.command(&["check", "--online", "--tenant", "contoso"]).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("SecurityRecommendation.Read.All present") && !said.contains("are read without"), "{said}");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
    assert_eq!((world.arrived(SOC).len(), world.arrived(OPS).len()), (0, 0));
    for (arguments, said) in [
        (&["check", "--online", "--tenant", "nobody"][..], "there is no tenant `nobody`"),
        (&["check", "--tenant", "contoso"], "--online"),
    ] {
        let output = world.command(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
    assert!(service.stop().await.success());

    world.folder.write("secrets/plain-address", "http://soar.example/hook");
    world.setup.channels.push("soar: { type: webhook, url: { file: secrets/plain-address } }".to_owned());
    world.write();
    let output = world.command(&["check", "--online", "--tenant", "contoso"]).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("the channel's URL is refused: it must begin with `https://`"), "{said}");
    assert!(!said.contains("soar.example"), "{said}");

    world.setup.top = "colour: green\n".to_owned();
    world.write();
    assert_eq!(world.command(&["check", "--online"]).await.status.code(), Some(2));
}
