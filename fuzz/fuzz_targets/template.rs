#![no_main]
#[path = "../../tests/parsers/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::template(bytes));
