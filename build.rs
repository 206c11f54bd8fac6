//! Gives the binary its version: with commit and date where it is built to be installed.
//!
//! A development build has the plain version, so that a commit recompiles nothing. `SCOREWATCH_COMMIT` names the commit where
//! there is no checkout (a container's build, a source archive), `SOURCE_DATE_EPOCH` the date. Both are facts of the source, so
//! the same source gives the same binary.

use std::{env, path::Path, process::Command};

/// The profile of what is installed.
const SHIPPED: &str = "shipped";
/// What the binary is made from.
const SOURCES: [&str; 7] =
    ["Cargo.lock", "Cargo.toml", "build.rs", "deploy/scorewatch.service", "rules", "src", "templates"];
/// Seconds of a day.
const DAY_S: i64 = 86_400;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SCOREWATCH_COMMIT");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let source: Vec<String> = [commit(), date()].into_iter().flatten().collect();
    let whole = if source.is_empty() { version } else { format!("{version} ({})", source.join(", ")) };
    println!("cargo::rustc-env=SCOREWATCH_VERSION={whole}");
}

/// The commit, marked if the files differ from it.
fn commit() -> Option<String> {
    if let Ok(named) = env::var("SCOREWATCH_COMMIT") {
        let is_plain =
            !named.is_empty() && named.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
        return is_plain.then_some(named);
    }
    if !is_shipped() {
        return None;
    }
    // The second changes with each commit on the same branch, which the first does not.
    let of_git = ["HEAD", "logs/HEAD"].iter().filter_map(|path| git(&["rev-parse", "--git-path", path]));
    for path in of_git.filter(|path| Path::new(path).exists()).chain(SOURCES.map(str::to_owned)) {
        println!("cargo::rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let compare = [&["diff", "--quiet", "HEAD", "--"][..], &SOURCES].concat();
    let is_clean = Command::new("git").args(compare).status().is_ok_and(|status| status.success());
    Some(if is_clean { commit } else { format!("{commit}-modified") })
}

/// The day of the commit, or the one that the builder names.
fn date() -> Option<String> {
    if let Some(seconds) = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse::<i64>().ok()) {
        return Some(day(seconds.div_euclid(DAY_S)));
    }
    if !is_shipped() {
        return None;
    }
    git(&["show", "--no-patch", "--format=%ct", "HEAD"])?
        .parse::<i64>()
        .ok()
        .map(|seconds| day(seconds.div_euclid(DAY_S)))
}

/// Whether this is built to be installed. Cargo says of a profile only which built-in one it comes from; its name is in the
/// path of our own folder: `target/shipped/build/scorewatch-…/out`.
fn is_shipped() -> bool {
    env::var_os("OUT_DIR").is_some_and(|folder| Path::new(&folder).iter().any(|part| part == SHIPPED))
}

/// Git's output in the source folder; `None` if git is missing or this is not a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// A day in UTC, from its number since 1970-01-01 ("chrono-Compatible Low-Level Date Algorithms", H. Hinnant).
fn day(number: i64) -> String {
    let shifted = number + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
