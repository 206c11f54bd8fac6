//! The dashboard in a real browser, over the demo's service.

use std::io::{BufRead, BufReader};

use super::*;

/// How the demo says that its story is over and where the dashboard is.
const STAYS: &str = "The dashboard stays open: ";

#[test]
#[ignore = "needs tests/validators/install and chromium"]
fn an_analyst_finds_a_drop_and_acts_on_it_with_and_without_scripts() {
    let installed = installed();
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .args(["demo", "--stay"])
        .env("TMPDIR", folder.path())
        .env_remove("SCOREWATCH_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix(STAYS)?.trim().to_owned()));
    let address = address.expect("the demo ended before its dashboard was open");
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    let output = Command::new("node")
        .arg(script("dashboard.mjs"))
        .args([&installed, Path::new(address.trim_end_matches('/')), &shots])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    assert!(demo.wait().unwrap().success(), "Ctrl-C ends the demo after its story as it should end");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    assert!(output.status.success(), "{said}");
}
