//! The resident memory of a process, as the kernel counts it.

/// Resident memory of a process now and at its peak, in MiB.
pub(crate) fn resident(process: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("/proc");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a field");
        line.split_whitespace().nth(1).expect("a value").parse::<f64>().expect("a number") / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[expect(clippy::print_stdout, reason = "a benchmark's result goes to standard output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
