//! The signal benchmark as tests: fleets with known truth, and scenarios that a reference model judges.

mod breakage;
mod cases;
mod fleets;
mod never_silent;
#[path = "../../benches/signal/trial.rs"]
#[expect(clippy::expect_used, unreachable_pub, dead_code, reason = "shared with the benchmark, which shows more of it")]
pub(crate) mod trial;
