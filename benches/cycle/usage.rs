//! The processor time and memory of a process, as the kernel counts them.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Child,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// The kernel counts processor time in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The figures of one side, product or bare loop.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) start_s: f64,
    pub(crate) cold: Pass,
    pub(crate) warm: Pass,
    pub(crate) resident_mib: f64,
    pub(crate) peak_mib: f64,
}

/// One pass over all tenants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) per_second: f64,
    pub(crate) cpu_us: f64,
}

/// A stopwatch for wall and processor time.
pub(crate) struct Watch {
    began: Instant,
    cpu: Duration,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu() }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of tenants are small")]
    pub(crate) fn pass(&self, checks: usize) -> Pass {
        let checks = checks as f64;
        Pass {
            per_second: checks / self.seconds(),
            cpu_us: cpu().saturating_sub(self.cpu).as_secs_f64() * 1e6 / checks,
        }
    }
}

/// User and system time of this process so far.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>().expect("utime") + fields[12].parse::<u32>().expect("stime");
    TICK * ticks
}

/// Resident memory now and at its peak, in MiB.
pub(crate) fn memory() -> (f64, f64) {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a field");
        line.split_whitespace().nth(1).expect("a value").parse::<f64>().expect("a number") / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn report(measured: &Measured) {
    println!("{}", serde_json::to_string(measured).expect("figures"));
}

pub(crate) fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("standard output")).read_line(&mut line).expect("a line");
    line.trim().to_owned()
}
