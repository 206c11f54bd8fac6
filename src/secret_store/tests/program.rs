//! Programs, real ones: what they print, how they end, and what becomes of those that do not.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::*;

fn script(folder: &Path, text: &str) -> Item {
    let program = folder.join("get-secret");
    // Written under another name: a file that is open for writing can't be run.
    let fresh = folder.join("fresh");
    fs::write(&fresh, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(&fresh, &program).unwrap();
    let arguments = vec!["contoso".to_owned(), "$(echo no shell)".to_owned()];
    Item::Output { program, arguments, folder: folder.to_owned(), time_limit: Duration::from_secs(20) }
}

async fn run(text: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::programs(Clock::System));
    read(&reference(&store, script(folder.path(), text))).await
}

#[tokio::test]
async fn what_a_program_prints_is_the_secret_without_the_line_breaks_at_its_end() {
    let long = "x".repeat(64 * 1024);
    for (text, secret) in [
        ("echo s3cret", "s3cret".to_owned()),
        ("printf 's3cret'", "s3cret".to_owned()),
        ("printf 'a\\nb\\n\\n'", "a\nb".to_owned()),
        ("echo \"$1 $2\"", "contoso $(echo no shell)".to_owned()),
        ("cat; echo no-input", "no-input".to_owned()),
        ("echo noise >&2; echo s3cret", "s3cret".to_owned()),
        ("basename \"$0\"; head -c 65525 /dev/zero | tr '\\0' x", format!("get-secret\n{}", &long[..65525])),
    ] {
        assert_eq!(run(text).await, Ok(secret), "{text}");
    }
}

#[tokio::test]
async fn a_program_sees_little_of_our_environment_and_runs_beside_its_configuration() {
    // Cargo sets this one in every test.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let seen = run("env; pwd").await.unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("CARGO_MANIFEST_DIR"), "{seen}");
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::programs(Clock::System));
    let here = read(&reference(&store, script(folder.path(), "pwd -P"))).await.unwrap();
    assert_eq!(Path::new(&here), folder.path().canonicalize().unwrap());
}

#[tokio::test]
async fn a_failure_is_reported_with_program_and_exit_code_and_never_with_its_output() {
    let canary = format!("echo {CANARY}; echo {CANARY} >&2; ");
    for (text, reported) in [
        (format!("{canary} exit 3"), "get-secret: ended with exit code 3"),
        (format!("{canary} kill -9 $$"), "get-secret: was ended by signal 9"),
        (format!("{canary} yes {CANARY}"), "get-secret: is larger than 64 KiB"),
        (format!("{canary} printf '\\377\\376'"), "get-secret: is not UTF-8 text"),
        (format!("echo {CANARY} >&2"), "get-secret: is empty"),
    ] {
        let error = run(&text).await.unwrap_err();
        assert!(error.ends_with(reported) && error.starts_with("program /"), "{text}: {error}");
    }
    let missing = Item::Output {
        program: "/no/such/program".into(),
        arguments: Vec::new(),
        folder: "/".into(),
        time_limit: PROGRAM_TIME_LIMIT,
    };
    let store = Arc::new(Store::programs(Clock::System));
    let error = read(&reference(&store, missing)).await.unwrap_err();
    assert!(error.starts_with("program /no/such/program: does not exist"), "{error}");
}

/// Whether a process that wrote its number there has ended; waits for it.
async fn has_ended(number: &Path) {
    let number: i32 = fs::read_to_string(number).unwrap().trim().parse().unwrap();
    let alive = || fs::read_to_string(format!("/proc/{number}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    while alive() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_does_not_end_in_time_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut item = script(folder.path(), "sleep 1000 & echo $! > child; echo s3cret; wait");
    let store = Arc::new(Store::programs(Clock::System));
    let mut limit = Duration::from_secs(2);
    // On a slow machine it may be killed before it has started anything.
    while fs::read_to_string(folder.path().join("child")).unwrap_or_default().trim().is_empty() {
        let Item::Output { time_limit, .. } = &mut item else { unreachable!() };
        *time_limit = limit;
        let error = read(&reference(&store, item.clone())).await.unwrap_err();
        assert!(error.ends_with(&format!("did not end within {limit:?}")), "{error}");
        limit *= 2;
    }
    has_ended(&folder.path().join("child")).await;
}

#[tokio::test]
async fn a_program_whose_child_holds_its_output_open_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let item = script(folder.path(), "sleep 1000 & echo $! > child; echo s3cret");
    let store = Arc::new(Store::programs(Clock::System));
    assert_eq!(read(&reference(&store, item)).await, Ok("s3cret".to_owned()));
    has_ended(&folder.path().join("child")).await;
}

#[tokio::test]
async fn a_program_that_fails_keeps_no_other_from_running() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::programs(Clock::System));
    let bad = script(folder.path(), "exit 1");
    assert!(read(&reference(&store, bad)).await.is_err());
    let beside = tempfile::tempdir().unwrap();
    let good = script(beside.path(), "echo s3cret");
    assert_eq!(read(&reference(&store, good)).await, Ok("s3cret".to_owned()));
}
