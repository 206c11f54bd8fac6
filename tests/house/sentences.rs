//! What is wrong and what to write are two values: no message is made as one text and taken apart again.

use super::{is_test, rust_files};

/// How a sentence would be cut.
const CUTS: [&str; 4] = ["split_once(\"; \")", "split_once(';')", "split(';')", "split(\"; \")"];

#[test]
fn no_message_is_cut_at_a_semicolon() {
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        for cut in CUTS {
            assert!(!text.contains(cut), "src/{}: `{cut}`: return a `domain::Complaint`", file.display());
        }
    }
}
