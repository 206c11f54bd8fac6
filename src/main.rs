//! The `scorewatch` binary: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    scorewatch::cli::main()
}
