//! A credential rotates without a gap, and the operator is notified of one that is not taken, and of one that is about to expire.

use crate::harness::{OPS, Pair, SOC, World, entra};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_with_a_new_certificate_and_an_old_secret_is_read_and_reported_once() {
    let world = World::with_cloud(|settings| settings.token_life = std::time::Duration::from_secs(2)).await;
    let pair = Pair::new();
    world.folder.write("secrets/new.pem", &pair.pem);
    let app = uuid::Uuid::from_u128(0xa99);
    let text = format!(
        "id: contoso\nname: Contoso Ltd\ntenant_id: {}\ncredential:\n  \
         - {{ client_id: {app}, certificate: {{ file: ../secrets/new.pem }} }}\n  \
         - {{ client_id: {app}, secret: {{ file: ../secrets/contoso }} }}\n",
        entra("contoso")
    );
    world.folder.write("tenants/contoso.yaml", &text);
    let service = world.run().await;
    world
        .until(&service, OPS, |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "operator.credential" && arrived.accepted)
        })
        .await;
    let operator = world.accepted(OPS, "contoso")[0].body["data"]["operator"].clone();
    assert_eq!(operator["class"], "certificate-unknown", "{operator}");
    assert!(operator["hint"].as_str().unwrap().contains("upload"), "{operator}");
    world.checked(&service, "contoso", 4).await;
    world.settle(&service, SOC).await;
    let arrived = world.arrived(OPS);
    assert_eq!(arrived.iter().filter(|arrived| arrived.kind == "operator.credential").count(), 1, "{arrived:?}");
    assert_eq!(arrived.len(), 1, "{arrived:?}");
}
