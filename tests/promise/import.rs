//! A list of customers becomes tenant files that the service takes at once, or nothing is written.

use scorewatch::domain::{EntraTenantId, ScoreKind};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{World, entra};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imported_customers_are_visited_and_a_bad_list_changes_nothing() {
    let mut world = World::new().await;
    let (app, secret) = (Uuid::from_u128(0xa99), "shared");
    world.folder.write("secrets/shared", secret);
    world.setup.top = format!("credential: {{ client_id: {app}, secret: {{ file: secrets/shared }} }}\n");
    let customer = EntraTenantId(Uuid::from_u128(0x2f1c_0a5e_0000_4000_8000_0000_0000_0001));
    world.cloud.add_tenant(customer, app, secret, 400.0);
    let list = world.folder.path().join("customers.csv");
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;

    let header = "Microsoft ID,Company name,Primary domain name,Relationship";
    let good = format!(
        "{header}\r\n{customer},Fabrikam GmbH,fabrikam.example,Reseller\r\n{},contoso Ltd,,\r\n",
        entra("contoso")
    );
    let bad = format!("{good}nonsense,Woodgrove,,\r\n");
    std::fs::write(&list, &bad).unwrap();
    let list = list.to_str().unwrap();
    let output = world.command(&["tenants", "import", list]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 new, 1 known, 1 refused; nothing was written"), "{said}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("customers.csv:4:1: error: this is not a GUID"),
        "{output:?}"
    );

    std::fs::write(list, &good).unwrap();
    for (arguments, written) in [(&["--dry-run"][..], false), (&["--label", "tier=gold"], true)] {
        let output = world.command(&[&["tenants", "import", list, "--json"], arguments].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["written"], &report["tenants"][0]["id"]), (&written.into(), &"fabrikam-gmbh".into()));
        assert_eq!(report["tenants"][1]["outcome"], "known");
        let link = format!("{}/{customer}/adminconsent?client_id={app}", world.cloud.base_url());
        assert_eq!(report["tenants"][0]["consent_link"], link);
        assert_eq!(world.folder.path().join("tenants/fabrikam-gmbh.yaml").exists(), written);
    }
    // The running service finds the file.
    let visited = world.cloud.wait_for(|cloud| cloud.tenant_counts(customer).score_requests > 1);
    world.patiently(&service, "a check of the imported tenant", visited).await;
    world.cloud.set_score(customer, ScoreKind::DeviceSecureScore, 420.0);

    let output = world.command(&["tenants", "show", "fabrikam-gmbh"]).await;
    let said = String::from_utf8_lossy(&output.stdout);
    for expected in [
        "Fabrikam GmbH",
        "tier=gold",
        "client secret, expiry unknown",
        "ops, soc",
        "Score.Read.All",
        "device-secure-score",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let output = world.command(&["tenants", "import", list, "--label", "tier"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(service.stop().await.success());
}
