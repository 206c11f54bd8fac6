//! A whole cycle of many tenants against the simulated cloud, cold and warm, next to a bare loop that makes the same calls
//! and stores the same facts. The result is the ratio between them.
//!
//! `cargo bench --bench cycle -- 10000 100000` (tenants; 10,000 by default). Cloud, bare loop and product are separate
//! processes, so that the processor time and memory of each can be measured.

mod bare;
mod cloud;
mod product;
mod usage;

use std::process::{Child, Command, Stdio};

use mimalloc::MiMalloc;
use usage::Measured;

/// The product's, for both.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Calls in flight, for both.
const CONCURRENCY: usize = 256;

#[expect(clippy::print_stdout, reason = "a benchmark's result goes to standard output")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.first().map(String::as_str) {
        Some("cloud") => cloud::serve(),
        Some("bare") => bare::run(&arguments[1], number(&arguments[2])),
        Some("product") => product::run(&arguments[1], number(&arguments[2])),
        _ => {
            let sizes: Vec<usize> = arguments.iter().map(|argument| number(argument)).collect();
            for tenants in if sizes.is_empty() { vec![10_000] } else { sizes } {
                println!("{}", compare(tenants));
            }
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of tenants")
}

/// Runs both, one after the other, each against its own cloud, and prints the figures side by side.
fn compare(tenants: usize) -> String {
    let bare = against_a_cloud("bare", tenants);
    let product = against_a_cloud("product", tenants);
    let mut lines = vec![format!("{tenants} tenants            bare loop      scorewatch   ratio")];
    for (pass, bare, product) in [("cold", &bare.cold, &product.cold), ("warm", &bare.warm, &product.warm)] {
        let (a, b) = (bare.per_second, product.per_second);
        lines.push(format!("{pass}: checks per second  {a:>9.0}       {b:>9.0}   {:.2}", b / a));
        let (a, b) = (bare.cpu_us, product.cpu_us);
        lines.push(format!("{pass}: CPU per check      {a:>6.1} µs       {b:>6.1} µs   {:.2}", b / a));
    }
    let (a, b) = (bare.resident_mib, product.resident_mib);
    lines.push(format!("resident at the end    {a:>5.1} MiB       {b:>5.1} MiB   (peak {:.1} MiB)", product.peak_mib));
    lines.push(format!("start-up                       -       {:>6.2} s", product.start_s));
    lines.join("\n")
}

fn against_a_cloud(who: &str, tenants: usize) -> Measured {
    let mut cloud = spawn(&["cloud"]);
    let address = usage::first_line(&mut cloud);
    let mut child = spawn(&[who, &address, &tenants.to_string()]);
    let measured = serde_json::from_str(&usage::first_line(&mut child)).expect("figures");
    child.wait().expect("the measured process");
    cloud.kill().expect("the cloud");
    cloud.wait().expect("the cloud");
    measured
}

fn spawn(arguments: &[&str]) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("a child of this program")
}
