//! A drill shows that a channel works, lets a parked one go on, and proves it when somebody says that it was seen.

use scorewatch::simulation::Reply;

use crate::harness::{LOW, OPS, SOC, World, get, kinds, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_to_a_repaired_receiver_resumes_its_parked_channel_and_can_be_confirmed() {
    let mut world = World::new().await;
    world.setup.top = "public_url: https://scores.mssp.example\naccess: { sign_in: never }\n".to_owned();
    let service = world.run().await;
    let address = service.listening().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.set(SOC, Some(Reply::status(410)));
    world.set_score("contoso", LOW);
    world.until(&service, OPS, |arrived| arrived.iter().any(|arrived| arrived.kind == "operator.channel")).await;
    assert_eq!(state(&world).await, "parked");

    assert!(world.command(&["channels", "drill", SOC]).await.status.success());
    let refused = |arrived: &[crate::harness::Arrived]| {
        arrived.iter().any(|arrived| arrived.kind == "drill" && !arrived.accepted)
    };
    world.until(&service, SOC, refused).await;
    assert_eq!(state(&world).await, "parked", "a drill that is refused mends nothing");

    world.receivers.set(SOC, None);
    let output = world.command(&["channels", "drill", SOC]).await;
    assert!(String::from_utf8_lossy(&output.stdout).contains("it resumes if the drill arrives"), "{output:?}");
    world
        .until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted && arrived.tenant == "contoso"))
        .await;
    let itself = |arrived: &crate::harness::Arrived| arrived.accepted && arrived.id == arrived.message;
    let accepted: Vec<_> = world.arrived(SOC).into_iter().filter(itself).collect();
    assert_eq!(kinds(&accepted), [("drill", 1), ("alert.firing", 1)], "one drill, then the queue");
    assert_eq!(state(&world).await, "ok");

    let link = accepted[0].body["data"]["links"]["confirm"].as_str().unwrap();
    let path = link.strip_prefix("https://scores.mssp.example").unwrap();
    assert_eq!(path, format!("/confirm/{}", accepted[0].id));
    let (status, page) = get(address, path).await;
    assert!(status == 200 && page.contains("<strong>soc</strong>") && page.contains("<button>"), "{page}");
    let (status, page) = post(address, path).await;
    assert!(status == 200 && page.contains("Thank you") && page.contains("soc"), "{page}");
    assert_eq!(get(address, &path.replace("msg_", "msg_0")).await.0, 404);
    service.says("a drill was confirmed").await;
    let (_, metrics) = get(address, "/metrics").await;
    assert!(metrics.contains("\nscorewatch_channels{state=\"ok\"} 2\n"), "{metrics}");
    assert!(metrics.contains("\nscorewatch_channels_unproven 0\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_configured_channel_can_be_drilled() {
    let world = World::new().await;
    let service = world.run().await;
    let output = world.command(&["channels", "drill", "nowhere"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no channel `nowhere`"), "{output:?}");
    drop(service);
}

/// How the channel stands by its listing.
async fn state(world: &World) -> String {
    let channels = world.listing(&["channels", "list", "--json"]).await;
    let soc = channels.into_iter().find(|channel| channel["name"] == SOC).unwrap();
    soc["state"].as_str().unwrap().to_owned()
}
