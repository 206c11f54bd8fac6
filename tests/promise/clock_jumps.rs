//! The wall clock is set forward and back by hours and by a year: nothing is lost, nothing is sent twice, nobody waits for
//! a time that is far away again.
//!
//! Debian's `libfaketime` shows the real binary another wall clock than ours; monotonic time goes on as it does when a real
//! clock is set.

use std::path::PathBuf;

use crate::harness::{HIGH, LOW, SOC, Service, World, kinds};

/// Where Debian's package puts the library, below the folder of the machine's architecture.
pub(super) fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let candidates = folders.flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    candidates.into_iter().find(|path| path.exists())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs libfaketime"]
async fn a_clock_that_is_set_delays_nobody_and_repeats_nothing() {
    let library = library().expect("Debian's package faketime is installed");
    let mut world = World::new().await;
    world.setup.without_drills();
    world.write();
    let set = |offset: &str| world.folder.write("clock", offset);
    set("+0");
    let clock = world.folder.path().join("clock");
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let service = Service::spawn(&world.folder.config(), &environment);
    service.listening().await;
    world.checked(&service, "contoso", 2).await;
    let mut expected = Vec::new();
    for offset in ["+2h", "+0", "-1h", "+0", "-2h", "+0", "+1y", "+0", "-1y", "+0"] {
        world.quiet(&service).await;
        set(offset);
        for (score, arrived) in [(LOW, ("alert.firing", 1)), (HIGH, ("alert.resolved", 2))] {
            world.set_score("contoso", score);
            expected.push(arrived);
            let arrived = |arrived: &[crate::harness::Arrived]| {
                arrived.iter().filter(|arrived| arrived.accepted).count() >= expected.len()
            };
            world.until(&service, SOC, arrived).await;
        }
        assert_eq!(kinds(&world.accepted(SOC, "contoso")), expected, "at {offset}");
    }
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), expected);
}
