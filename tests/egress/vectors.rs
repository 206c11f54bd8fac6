//! URLs that lead inside, as data: `vectors/*.txt`, one a line, with `PORT` for the trap's port. Lines that begin with `#` say
//! what they are about; `\t`, `\u{ff11}` and the like stand for what can't be seen.

use scorewatch::egress::Private;

use super::{Names, networks, refuses, send, trap::Trap};

/// Ways to write this machine. By plain `http` on a port each really leads to the trap.
pub(super) const LOOPBACK: &str = include_str!("vectors/loopback.txt");
/// This machine's names, and names that pretend.
pub(super) const NAMES: &str = include_str!("vectors/names.txt");
/// Metadata services, platform services and link-local addresses: allowed to nobody.
pub(super) const METADATA: &str = include_str!("vectors/metadata.txt");
/// Tricks with the text of a URL: user information, backslashes, white space, ports, schemes, brackets.
pub(super) const TRICKS: &str = include_str!("vectors/tricks.txt");

/// The URLs of a file.
pub(super) fn read(file: &str, port: u16) -> Vec<String> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| unescape(line).replace("PORT", &port.to_string())).collect()
}

fn unescape(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let letter = escape.chars().next().unwrap();
        rest = &escape[1..];
        text.push(match letter {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            '0' => '\0',
            '\\' => '\\',
            'u' => {
                let (number, after) = rest.strip_prefix('{').unwrap().split_once('}').unwrap();
                rest = after;
                char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap()
            }
            other => panic!("`\\{other}` in {line}"),
        });
    }
    text + rest
}

/// The same host as a public receiver would be written: `https`, no port.
pub(super) fn as_public(url: &str, port: u16) -> String {
    url.replacen("http://", "https://", 1).replacen(&format!(":{port}"), "", 1)
}

#[tokio::test]
async fn no_spelling_of_this_machine_reaches_it() {
    let trap = Trap::set();
    // Would any name be looked up, it would lead to the trap.
    let door = Names::all(&[&["127.0.0.1"]]).door();
    let urls = read(LOOPBACK, trap.port);
    for url in &urls {
        for url in [url, &url.replacen("http:", "https:", 1), &as_public(url, trap.port)] {
            refuses(&door, url, &Private::Refused).await;
            refuses(&door, url, &networks(&["10.0.0.0/8", "fc00::/7"])).await;
        }
    }
    assert_eq!(trap.connections(), 0);
    for url in urls.iter().filter(|url| trap.has_v6 || !url.contains("[::1]") && !url.contains(":1]:")) {
        let before = trap.connections();
        assert_eq!(send(&door, url, &Private::Any).await.map(|answer| answer.status), Ok(200), "control: {url}");
        assert_eq!(trap.connections(), before + 1, "control: {url}");
    }
}

#[tokio::test]
async fn no_name_of_this_machine_and_no_trick_reaches_it() {
    let trap = Trap::set();
    let door = Names::all(&[&["127.0.0.1"], &["::1"], &["127.0.0.1"]]).door();
    for url in read(NAMES, trap.port).iter().chain(&read(TRICKS, trap.port)) {
        refuses(&door, url, &Private::Refused).await;
        refuses(&door, url, &networks(&["10.0.0.0/8"])).await;
    }
    assert_eq!(trap.connections(), 0);
    let allowed = format!("http://inside.example:{}/", trap.port);
    assert!(send(&door, &allowed, &Private::Loopback).await.is_ok(), "control");
    assert_eq!(trap.connections(), 1, "control");
}

#[tokio::test]
async fn metadata_and_link_local_are_refused_whatever_is_allowed() {
    let door = Names::all(&[&["169.254.169.254"]]).door();
    let everything = networks(&["0.0.0.0/0", "::/0"]);
    for url in read(METADATA, 80) {
        for private in [&Private::Refused, &Private::Loopback, &Private::Any, &everything] {
            refuses(&door, &url, private).await;
        }
    }
}

#[test]
fn there_are_at_least_two_hundred_vectors_and_each_is_there_once() {
    let mut all: Vec<_> = [LOOPBACK, NAMES, METADATA, TRICKS].iter().flat_map(|file| read(file, 1)).collect();
    let written = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), written);
    assert!(written >= 200, "{written}");
}
