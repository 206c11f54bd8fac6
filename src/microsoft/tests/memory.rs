//! What the largest answer that is accepted costs: measured in a process of its own, as memory belongs to a whole process.

use std::{fs, process::Command};

use super::*;

/// The name of this test as the test binary knows it.
const NAME: &str =
    "microsoft::tests::memory::answers_that_unpack_to_a_thousand_times_their_size_cost_tens_of_megabytes";
/// Set in the process that measures.
const MEASURES: &str = "SCOREWATCH_MEASURES_ANSWERS";
/// The largest page of Graph has 25 MB. It is kept once, while its buffer grows twice, and its longest text once more.
const COST_MAX_KIB: u64 = 96 * 1024;

/// JSON of 22 MB in 32 kB: escaped texts, numbers and empty objects, as values, in an error, and where nothing is examined.
/// Made by `gzip -9`.
const HEAVY: &[u8] = include_bytes!("heavy.gz");

#[test]
fn answers_that_unpack_to_a_thousand_times_their_size_cost_tens_of_megabytes() {
    if std::env::var_os(MEASURES).is_some() {
        return measure();
    }
    assert!(HEAVY.len() < 32 * 1024);
    let binary = std::env::current_exe().unwrap();
    let output = Command::new(binary).args(["--exact", NAME, "--nocapture"]).env(MEASURES, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Fetches each score from servers whose every answer is heavy, and looks at how much memory this process has ever had.
fn measure() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcomes = runtime.block_on(async {
        let before = peak_kib();
        let mut outcomes = Vec::new();
        for (status, of_entra) in [(200, false), (403, false), (200, true), (400, true)] {
            let world = World::new(move |seen| {
                (is_token_request(seen) == of_entra).then(|| reply(status, "content-encoding: gzip\r\n", HEAVY))
            })
            .await;
            // As of a tenant that was never read, of whose records the whole history is asked for.
            let fetched = world.microsoft.fetch_all(&world.account, &ScoreKind::ALL, |_| None, world.clock.now()).await;
            let failed =
                fetched.into_iter().map(|(score, result)| (status, of_entra, score, result.unwrap_err().class));
            outcomes.extend(failed);
            let cost = peak_kib() - before;
            assert!(cost <= COST_MAX_KIB, "{cost} KiB for HTTP {status}");
        }
        outcomes
    });
    // It is read to its end where so much is accepted, and cut everywhere else.
    assert!(outcomes.contains(&(200, false, ScoreKind::SecureScore, FailureClass::Garbage)), "{outcomes:?}");
    assert!(
        outcomes.contains(&(200, false, ScoreKind::DeviceSecureScore, FailureClass::AnswerTooLarge)),
        "{outcomes:?}"
    );
}

/// `VmHWM` of proc(5): the most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
