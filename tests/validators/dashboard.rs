//! The dashboard in a real browser, over the demo's service and through a proxy with TLS.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
};

use super::*;

/// How the demo says that its story is over and where the dashboard is.
const STAYS: &str = "The dashboard stays open: ";
/// Where its messages say that the dashboard is; nothing but the browser of this test is ever sent there.
const PUBLIC: &str = "https://scores.example";
/// The act in which customers of whom nobody has recovered since lose points.
const ACT: &str = "6 of 8";
/// Whose passwords the demo prints.
const ACCOUNTS: [&str; 3] = ["admin", "analyst", "fabrikam"];

/// What the demo said before it stayed open.
#[derive(Default)]
struct Said {
    address: Option<String>,
    /// Passwords by account.
    accounts: BTreeMap<String, String>,
    /// The newest link to an alert in a message of that act.
    link: Option<String>,
    is_in_act: bool,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, password, ..] if ACCOUNTS.contains(name) && self.accounts.len() < ACCOUNTS.len() => {
                self.accounts.insert((*name).to_owned(), (*password).to_owned());
            }
            ["──", ..] => self.is_in_act = line.contains(ACT),
            _ => {}
        }
        self.address = line.strip_prefix(STAYS).map(|address| address.trim().to_owned());
        let page = format!("{PUBLIC}/alerts/alert_");
        if let Some(from) = line.find(&page).filter(|_| self.is_in_act) {
            let is_of_link = |letter: char| letter.is_ascii_alphanumeric() || "/:._-".contains(letter);
            let rest = &line[from..];
            self.link = Some(rest[..rest.find(|letter| !is_of_link(letter)).unwrap_or(rest.len())].to_owned());
        }
    }
}

#[test]
#[ignore = "needs tests/validators/install and chromium"]
fn people_find_a_drop_act_on_it_and_see_what_is_theirs_with_and_without_scripts() {
    let installed = installed();
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .args(["demo", "--stay", "--payloads", "--public-url", PUBLIC])
        .env("TMPDIR", folder.path())
        .env_remove("SCOREWATCH_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Said::default();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    while said.address.is_none() {
        said.hear(&lines.next().expect("the demo ended before its dashboard was open"));
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["scores.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let world = serde_json::json!({
        "upstream": said.address,
        "public": PUBLIC,
        "link": said.link.expect("a message with a link to its alert"),
        "accounts": said.accounts,
        "key": key.serialize_pem(),
        "cert": certificate.pem(),
        "shots": Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"),
    });
    let output =
        Command::new("node").arg(script("dashboard.mjs")).arg(&installed).arg(world.to_string()).output().unwrap();
    let judged = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    assert!(demo.wait().unwrap().success(), "Ctrl-C ends the demo after its story as it should end");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    assert!(output.status.success(), "{judged}");
}
