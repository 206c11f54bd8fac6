//! What deploy/ installs works as its guide says: the guide's own commands are run in a root of their own, and the unit is started
//! there as systemd starts it, as another user where this one may change it.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use scorewatch::domain::EntraTenantId;

use crate::harness::{HIGH, Service, World};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const GUIDE: &str = include_str!("../../docs/guides/deploy.md");
const TENANT: &str = "2f1c0a5e-0000-4000-8000-000000000001";
const APP: &str = "6d2a0000-0000-4000-8000-000000000002";
/// Neither user nor group of anything, and not the one who runs the tests.
const NOBODY: u32 = 65_534;
const TEAMS: &str = "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SLACK: &str = "https://hooks.slack.com/services/T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx";

/// A root folder in which the guide's paths lie.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(machine.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["etc/systemd/system", "usr/local/bin", "var/lib", "bin"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for (name, script) in [
            ("sudo", "#!/bin/sh\nexec \"$@\"\n".to_owned()),
            ("systemctl", format!("#!/bin/sh\necho \"$@\" >> {}\n", machine.path("systemctl.log").display())),
        ] {
            let path = machine.path(&format!("bin/{name}"));
            fs::write(&path, script).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// The text with the paths of this machine.
    fn moved(&self, text: &str) -> String {
        let root = self.0.path().display();
        ["/etc/", "/usr/local/", "/var/lib/"]
            .iter()
            .fold(text.to_owned(), |text, folder| text.replace(folder, &format!("{root}{folder}")))
    }

    /// Runs the command lines as the guide shows them; `ours` takes the place of what a reader has built or types.
    fn sh(&self, lines: &str, ours: &[(&str, &str)]) -> Output {
        let mut lines = lines.to_owned();
        for (theirs, ours) in ours {
            assert!(lines.contains(theirs), "{theirs} is not in the guide's\n{lines}");
            lines = lines.replace(theirs, ours);
        }
        let path = format!("{}:{}:/usr/bin:/bin", self.path("bin").display(), self.path("usr/local/bin").display());
        let mut shell = Command::new("sh");
        shell.args(["-euc", &self.moved(&lines)]).current_dir(ROOT).env_clear().env("PATH", path);
        let output = shell.output().unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&said));
        output
    }

    /// Starts the service as the unit says: its command, its user, its folders, its credentials.
    fn start(&self, unit: &str) -> Service {
        let unit =
            self.moved(&fs::read_to_string(self.path(unit)).unwrap().replace(&*self.0.path().to_string_lossy(), ""));
        let value = |key: &str| {
            let line = unit.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("{key}: {unit}"));
            line.to_owned()
        };
        let may_change = rustix::process::geteuid().is_root();
        let state = self.path("var/lib").join(value("StateDirectory="));
        fs::create_dir_all(&state).unwrap();
        let (id, folder) =
            value("LoadCredential=").split_once(':').map(|(id, path)| (id.to_owned(), path.to_owned())).unwrap();
        let credentials = self.path("credentials");
        fs::create_dir(&credentials).unwrap();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let to = credentials.join(format!("{id}_{}", entry.file_name().to_string_lossy()));
            fs::copy(entry.path(), &to).unwrap();
            if may_change {
                std::os::unix::fs::chown(&to, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let start = value("ExecStart=");
        let mut words = start.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(&state).env_clear().env("CREDENTIALS_DIRECTORY", &credentials);
        if may_change {
            std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        Service::spawn_by(command, &[])
    }

    /// Lets the configuration find the simulated cloud, and all its paths on this machine.
    fn adapt(&self, world: &World) {
        let main = self.path("etc/scorewatch/scorewatch.yaml");
        let text = self.moved(&fs::read_to_string(&main).unwrap()).replace("127.0.0.1:8080", "127.0.0.1:0");
        let text = text.replace("0 */15 * * * *", "* * * * * *").replace("spread: 10m", "spread: 0s");
        let base = world.cloud.base_url();
        fs::write(main, format!("{text}endpoints: {{ login: \"{base}\", defender: \"{base}\", graph: \"{base}\" }}\n"))
            .unwrap();
    }
}

/// The command lines of a section's block that has that text.
fn block(section: &str, with: &str) -> &'static str {
    let section = GUIDE.split("\n## ").flat_map(|part| part.split("\n### ")).find(|part| part.starts_with(section));
    let blocks = section.unwrap().split("```sh\n").skip(1).map(|part| part.split("```").next().unwrap());
    blocks.into_iter().find(|block| block.contains(with)).unwrap_or_else(|| panic!("{with} is not in the section"))
}

/// A cloud with the tenant of the sample.
async fn world() -> (World, EntraTenantId) {
    let world = World::new().await;
    let entra = EntraTenantId(TENANT.parse().unwrap());
    world.cloud.add_tenant(entra, APP.parse().unwrap(), "the-secret-value", HIGH);
    (world, entra)
}

/// Waits until the tenant has been read, which takes its secret, and asks for the health as the guide does.
async fn works(machine: &Machine, world: &World, service: Service, entra: EntraTenantId) {
    let address = service.listening().await;
    let read = world.cloud.wait_for(|cloud| cloud.tenant_counts(entra).score_requests > 1);
    world.patiently(&service, "a check with the unit's credentials", read).await;
    let main = machine.path("etc/scorewatch/scorewatch.yaml");
    let text = fs::read_to_string(&main).unwrap().replace("127.0.0.1:0", &address.to_string());
    fs::write(&main, &text).unwrap();
    let health = "scorewatch health --config /etc/scorewatch/scorewatch.yaml";
    assert!(GUIDE.contains(health));
    let output = machine.sh(health, &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ready");
    // The service goes on with the configuration that it has, so a probe must not have it restarted.
    fs::write(&main, text.replace("schedule:", "sheddule:")).unwrap();
    assert_eq!(String::from_utf8_lossy(&machine.sh(health, &[]).stdout).trim(), "ready");
    assert!(service.stop().await.success());
    let output =
        Command::new(machine.path("usr/local/bin/scorewatch")).arg("health").arg("--config").arg(&main).output();
    assert_eq!(output.unwrap().status.code(), Some(1), "a service that is gone is not healthy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_init_writes_for_systemd_runs_under_its_unit() {
    let ((world, entra), machine) = (world().await, Machine::new());
    let secrets = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = secrets.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let flags = format!(
        "init --target systemd /etc/scorewatch --tenant-name 'Contoso Ltd' --tenant-id {TENANT} --client-id {APP} --secret-file {} \
         --channel teams --channel-secret-file {}",
        file("secret", "the-secret-value\n"),
        file("url", TEAMS)
    );
    // A reader types the answers.
    machine.sh(
        block("Under systemd", "init --target systemd"),
        &[("target/shipped/scorewatch", env!("CARGO_BIN_EXE_scorewatch")), ("init --target systemd", &flags)],
    );
    let log = fs::read_to_string(machine.path("systemctl.log")).unwrap();
    assert_eq!(log.trim(), machine.moved("enable --now /etc/scorewatch/scorewatch.service"));
    machine.adapt(&world);
    let service = machine.start("etc/scorewatch/scorewatch.service");
    works(&machine, &world, service, entra).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_runs_under_the_unit_as_its_comments_say() {
    let ((world, entra), machine) = (world().await, Machine::new());
    machine.sh(
        block("Under systemd", "init --target systemd").lines().next().unwrap(),
        &[("target/shipped/scorewatch", env!("CARGO_BIN_EXE_scorewatch"))],
    );
    machine.sh(
        block("The sample", "deploy/sample"),
        &[("…the URL of the Teams workflow…", TEAMS), ("…the URL of the Slack webhook…", SLACK)],
    );
    let preview =
        "scorewatch preview --config /etc/scorewatch/scorewatch.yaml --rule posture-changed --channel contoso";
    let preview = String::from_utf8(machine.sh(preview, &[]).stdout).unwrap();
    for said in ["We are looking into it.", "You don't have to do anything now."] {
        assert!(preview.contains(said), "{preview}");
    }
    machine.adapt(&world);
    let service = machine.start("etc/systemd/system/scorewatch.service");
    works(&machine, &world, service, entra).await;
}

/// The lines of a unit, without comments.
fn lines_of(unit: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join("deploy").join(unit)).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_unit_for_several_services_differs_in_port_user_and_description_only() {
    let (plain, several) = (lines_of("scorewatch.service"), lines_of("scorewatch@.service"));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these
            .iter()
            .filter(|line| !those.contains(line))
            .map(|line| line.split('=').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(only(&plain, &several), ["Description", "ExecStart"]);
    assert_eq!(only(&several, &plain), ["Description", "ExecStart", "User"]);
    let command = several.iter().find(|line| line.starts_with("ExecStart=")).unwrap();
    let of_plain = plain.iter().find(|line| line.starts_with("ExecStart=")).unwrap();
    assert_eq!(*command, format!("{of_plain} --listen 127.0.0.1:%i"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_listens_where_its_command_line_says() {
    let world = World::new().await;
    world.write();
    let main = world.folder.config();
    let text = fs::read_to_string(&main).unwrap();
    // Nobody can listen there.
    let elsewhere = text.replace("127.0.0.1:0", "192.0.2.1:1");
    assert_ne!(text, elsewhere);
    fs::write(&main, &elsewhere).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorewatch"));
    command.args(["run", "--listen", "127.0.0.1:0", "--config"]).arg(&main);
    let service = Service::spawn_by(command, &[]);
    let address = service.listening().await;
    assert!(address.ip().is_loopback(), "{address}");
    assert!(service.stop().await.success());
}

#[test]
#[ignore = "needs systemd-analyze"]
fn the_unit_is_one_that_systemd_accepts() {
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "deploy/scorewatch.service", "deploy/scorewatch@.service"]).current_dir(ROOT);
    let output = verify.output().expect("systemd-analyze is installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // The binary is not installed where tests run.
    let faults: Vec<_> = said
        .lines()
        .filter(|line| line.contains("scorewatch") && !line.contains("/usr/local/bin/scorewatch"))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn the_image_has_a_health_check_by_its_own_binary() {
    let file = fs::read_to_string(Path::new(ROOT).join("deploy/Containerfile")).unwrap();
    let check =
        file.lines().find(|line| line.trim_start().starts_with("CMD [\"/usr/local/bin/scorewatch\", \"health\""));
    assert!(file.contains("HEALTHCHECK") && check.is_some(), "{file}");
}
