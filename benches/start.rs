//! The time and memory that it takes to load a configuration with many tenants.
//!
//! `cargo bench --bench start -- [TENANTS…]`, by default 10,000 and 100,000; each as one file per tenant and as lists of 5,000.
//! Each is measured in a process of its own, because the kernel counts peak memory per process.

use std::{env, fs, io, path::Path, process::Command, time::Instant};

use scorewatch::config;

const DEFAULT: [&str; 2] = ["10000", "100000"];
/// Tenants in one file of a list; each takes some 330 bytes, and a file may have 4 MiB.
const IN_ONE_FILE: usize = 5_000;

const MAIN: &str = "
operator: { notify: [soc] }
channels: { soc: { type: teams, url: { file: secret } } }
rules: [rules.yaml]
tenants: [tenants/*.yaml]
";
const RULES: &str = "rules: [{ name: blind, when: { no_data: 6h }, notify: [soc] }]";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [mode, count] = arguments.as_slice()
        && let Some(in_one_file) = in_one_file(mode)
    {
        return measure(mode, count.parse().map_err(io::Error::other)?, in_one_file);
    }
    let counts = if arguments.is_empty() { DEFAULT.map(str::to_owned).to_vec() } else { arguments };
    for count in counts {
        for mode in ["files", "lists"] {
            let status = Command::new(env::current_exe()?).args([mode, &count]).status()?;
            if !status.success() {
                return Err(io::Error::other("a measurement failed"));
            }
        }
    }
    Ok(())
}

fn in_one_file(mode: &str) -> Option<usize> {
    match mode {
        "files" => Some(1),
        "lists" => Some(IN_ONE_FILE),
        _ => None,
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn measure(mode: &str, count: usize, in_one_file: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    lay_out(folder.path(), count, in_one_file)?;
    let before = resident()?.0;
    let started = Instant::now();
    let loaded = config::load(&folder.path().join("scorewatch.yaml"));
    let seconds = started.elapsed().as_secs_f64();
    let (after, peak) = resident()?;
    let taken = loaded.config.map_or(0, |config| config.tenants.len());
    if taken != count {
        return Err(io::Error::other(format!("{taken} tenants of {count}: {:?}", loaded.problems.first())));
    }
    println!(
        "{count:>7} tenants, {mode}: {seconds:.2} s, {before} MiB resident before, {after} after, {peak} at the peak"
    );
    Ok(())
}

fn lay_out(folder: &Path, count: usize, in_one_file: usize) -> io::Result<()> {
    fs::create_dir(folder.join("tenants"))?;
    for (path, text) in [("secret", "a-secret"), ("rules.yaml", RULES), ("scorewatch.yaml", MAIN)] {
        fs::write(folder.join(path), text)?;
    }
    for first in (0..count).step_by(in_one_file) {
        let tenants = (first..count.min(first + in_one_file)).map(tenant);
        fs::write(folder.join(format!("tenants/{first}.yaml")), tenants.collect::<String>())?;
    }
    Ok(())
}

/// A tenant with an app of its own, as most tenants have.
fn tenant(index: usize) -> String {
    format!(
        "- id: tenant-{index}\n  name: Tenant number {index}\n  tenant_id: 2f1c0a5e-0000-4000-8000-{index:012}\n  \
         credential:\n    client_id: 6d2a0000-0000-4000-8000-{index:012}\n    secret: {{ file: ../secret }}\n    \
         expires: 2027-03-01\n  labels: {{ tier: gold, country: de }}\n  notify: [soc]\n"
    )
}

/// Resident memory now and at its peak, in MiB.
fn resident() -> io::Result<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    Ok((field("VmRSS:"), field("VmHWM:")))
}
