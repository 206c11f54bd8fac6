//! The time from commit to arrival, without hanging receivers and with 300 of 1,000 hanging.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use scorewatch::clock::Clock;

use crate::{
    product::Done,
    setup::{CHANNELS, channel, configure, receivers},
    usage::say,
};

const HANGING: usize = 300;
/// The number of runs of each kind. They alternate, so that a noisy moment of the machine affects both.
const ROUNDS: usize = 2;

/// Latencies of the messages that arrived at channels that never hang.
#[derive(Default)]
struct Run {
    steady: Vec<Duration>,
    storm: Vec<Duration>,
    resident_mib: f64,
    peak_mib: f64,
}

pub(crate) async fn compare() {
    let (mut calm, mut troubled) = (Run::default(), Run::default());
    for _ in 0..ROUNDS {
        run(0, &mut calm).await;
        run(HANGING, &mut troubled).await;
    }
    say(&format!("{CHANNELS} channels, from commit to arrival    none hangs     {HANGING} hang    grown by"));
    for (name, calm, troubled) in [
        ("400 messages a second", &mut calm.steady, &mut troubled.steady),
        ("1,000 at once", &mut calm.storm, &mut troubled.storm),
    ] {
        for percent in [50, 99] {
            let (a, b) = (percentile(calm, percent), percentile(troubled, percent));
            let grown = (b.as_secs_f64() / a.as_secs_f64() - 1.0) * 100.0;
            say(&format!(
                "{name:<22} p{percent}            {:>8.1} ms   {:>8.1} ms   {grown:+.0} %",
                a.as_secs_f64() * 1e3,
                b.as_secs_f64() * 1e3
            ));
        }
    }
    say(&format!(
        "resident at the end (peak)        {:>5.1} MiB ({:.1})   {:>5.1} MiB ({:.1})",
        calm.resident_mib, calm.peak_mib, troubled.resident_mib, troubled.peak_mib
    ));
}

async fn run(hanging: usize, into: &mut Run) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (receivers, urls) = receivers(hanging).await;
    configure(folder.path(), "http://127.0.0.1:9", 1, &urls);
    let (wall, monotonic) = (Clock::System.now(), Instant::now());
    let folder_path = folder.path().to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["product".as_ref(), folder_path.as_os_str(), hanging.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child of this program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("standard output")).read_line(&mut line).expect("a line");
        child.wait().expect("the product's end");
        serde_json::from_str::<Done>(&line).expect("figures")
    });
    let done = done.await.expect("figures");
    let commits: HashMap<_, _> = done.commits.iter().map(|commit| (commit.id.as_str(), commit)).collect();
    let untroubled: Vec<_> = (HANGING..CHANNELS).map(channel).collect();
    let untroubled: std::collections::HashSet<_> =
        untroubled.iter().map(scorewatch::domain::ChannelName::as_str).collect();
    for request in receivers.received().iter().filter(|request| untroubled.contains(&*request.channel)) {
        let commit = commits[request.header("webhook-id")];
        let arrived = wall.plus(request.at.duration_since(monotonic));
        let latency = Duration::from_nanos(u64::try_from(arrived.as_nanos() - commit.at).unwrap_or(0));
        if commit.is_storm { into.storm.push(latency) } else { into.steady.push(latency) }
    }
    into.resident_mib = into.resident_mib.max(done.resident_mib);
    into.peak_mib = into.peak_mib.max(done.peak_mib);
}

fn percentile(latencies: &mut [Duration], percent: usize) -> Duration {
    latencies.sort_unstable();
    latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)]
}
