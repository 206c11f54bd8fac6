//! The demo shows what it promises, and leaves behind what it was asked to leave, or nothing.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

fn demo(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorewatch"));
    command.arg("demo").args(arguments).env("TMPDIR", folder).env_remove("SCOREWATCH_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn left_behind(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_every_act_on_a_screen_each_and_leaves_its_folder_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_owned();
    let output = tokio::task::spawn_blocking(move || demo(&at, &["--keep"]).wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && complaints.is_empty(), "{said}\n{complaints}");
    assert!(
        said.starts_with(
            "Preparing 36 simulated customers and their past …\nThe real service watches 36 simulated customers"
        ),
        "{said}"
    );
    let mut rest = said.as_str();
    for (act, shows) in [
        ("1 of 8: All is calm", &[][..]),
        (
            "2 of 8: Fabrikam's device score falls",
            &["soc gets:", "486", "Turn on real-time protection", "fabrikam-slack gets:", "soar gets:"],
        ),
        ("3 of 8: An analyst acknowledges", &["alerts acknowledge fabrikam", "critical", "acknowledged by"]),
        ("4 of 8: Why", &["ticket 4711", "=> it keeps firing"]),
        ("5 of 8: Microsoft changes", &["soc gets:", "score of 36 tenants rose"]),
        ("6 of 8: Teams is down", &["soc gets:", "5 tenants"]),
        ("7 of 8: Northwind's client secret expires", &["soc gets:", "Northwind"]),
        ("8 of 8: Northwind gets a new secret", &["fabrikam-slack gets:", "545"]),
    ] {
        let (_, from_here) = rest.split_once(act).unwrap_or_else(|| panic!("{act} is not in\n{said}"));
        let act_text = from_here.split("\n── ").next().unwrap();
        for text in shows {
            assert!(act_text.contains(text), "{act}: {text:?} is not in\n{act_text}");
        }
        // The blank line before the title belongs to the act; a longer line than the terminal's goes on in the next one.
        let (of_act, _) = act_text.split_once(" messages in all").unwrap_or((act_text, ""));
        let of_act = of_act.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end();
        let lines = 1 + of_act.lines().map(|line| line.chars().count().div_ceil(80).max(1)).sum::<usize>();
        assert!(lines <= 24, "{act} has {lines} lines of 80 columns:\n{act_text}");
        rest = from_here;
    }
    assert!(!said.contains('\u{1b}'), "no colors into a pipe");
    let kept = said.lines().find_map(|line| line.strip_prefix("Kept: ")).unwrap();
    let config = Path::new(kept).join("scorewatch.yaml");
    for secret in fs::read_dir(Path::new(kept).join("secrets")).unwrap() {
        let secret = secret.unwrap();
        assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{secret:?}");
    }
    let listed = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .arg("--config")
        .arg(config)
        .args(["deliveries", "list"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("soc") && listed.contains("Fabrikam GmbH"), "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_demo_leaves_nothing_behind() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let mut running = demo(folder.path(), &[]);
        let mut lines = BufReader::new(running.stdout.take().unwrap());
        let id = running.id();
        let begun = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            while !line.contains("1 of 8") {
                line.clear();
                assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before the first act");
            }
            lines
        });
        let mut lines = begun.await.unwrap();
        assert_eq!(left_behind(folder.path()), 1, "its folder is there while it runs");
        assert!(Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status().unwrap().success());
        let ended = tokio::task::spawn_blocking(move || {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).unwrap();
            running.wait().unwrap()
        });
        assert_eq!(ended.await.unwrap().code(), Some(1), "{signal}");
        assert_eq!(left_behind(folder.path()), 0, "{signal}");
    }
}
