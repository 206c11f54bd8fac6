//! The cost of receivers that hang: time for the other channels, and memory for the service. And how soon ten thousand alerts are
//! told of.
//!
//! `cargo bench --bench storm` runs all parts in about three minutes; `-- latency`, `-- memory` or `-- digest` runs one. Receivers and
//! Microsoft are simulated in this process; the product is a process of its own, so that its memory can be measured.

mod digest;
mod latency;
mod memory;
mod product;
mod setup;
mod usage;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        match arguments.first().map(String::as_str) {
            Some("product") => product::run(std::path::Path::new(&arguments[1]), setup::number(&arguments[2])).await,
            Some("latency") => latency::compare().await,
            Some("memory") => memory::measure().await,
            Some("digest") => digest::account().await,
            _ => {
                latency::compare().await;
                memory::measure().await;
                digest::account().await;
            }
        }
    });
}
