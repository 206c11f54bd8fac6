//! People read words: nothing that they may read is printed in Rust's debug form. That form is for tests, for what is only
//! compared, and for panics.

use super::{is_test, rust_files};

/// Files whose debug forms nobody reads, and why.
const UNREAD: [(&str, &str); 4] = [
    ("crash_point.rs", "names of places at which a test stops the process"),
    ("config/load.rs", "only hashed, to notice a change"),
    ("service/recorded.rs", "only compared or hashed, to notice what has changed"),
    ("secret_store/mod.rs", "only compared, to notice a change"),
];

/// The places of a file that print a debug form, by line.
fn debug_forms(text: &str) -> Vec<usize> {
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = shipped.lines().enumerate().filter(|(_, line)| {
        let line = line.split(" // ").next().unwrap_or_default();
        let is_panic = ["assert", "panic!", "unreachable!"].iter().any(|name| line.contains(name));
        let is_field = line.contains("!(") || line.trim_start().starts_with('?');
        let is_logged = is_field
            && [" ?", "(?"].iter().any(|sign| {
                line.split(sign).skip(1).any(|rest| rest.starts_with(|letter: char| letter.is_ascii_lowercase()))
            });
        let is_formatted = [":?}", ":#?}"].iter().any(|sign| line.contains(sign));
        !is_panic && !line.trim_start().starts_with("//") && (is_formatted || is_logged)
    });
    lines.map(|(number, _)| number + 1).collect()
}

#[test]
fn nothing_that_people_read_is_in_rust_s_debug_form() {
    let mut faults = Vec::new();
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        let name = file.to_string_lossy();
        if UNREAD.iter().any(|(unread, _)| name == *unread) {
            continue;
        }
        faults.extend(
            debug_forms(&text).iter().map(|line| format!("src/{name}:{line}: implement `Display` or `as_str`")),
        );
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_debug_form_is_found_in_texts_and_in_logs() {
    for text in [
        "format!(\"{x:?}\")",
        "#[error(\"{0:?}\")]",
        "info!(?reason, \"x\")",
        "warn!(a, ?b, \"x\")",
        "write!(f, \"{:#?}\", x)",
    ] {
        assert_eq!(debug_forms(text), [1], "{text}");
    }
    for text in [
        "assert!(x, \"{x:?}\")",
        "let x = y?;",
        "Some(f()?)",
        "// `{:?}`",
        "#[cfg(test)]\nmod tests { fn f() { format!(\"{x:?}\"); } }",
    ] {
        assert_eq!(debug_forms(text), Vec::<usize>::new(), "{text}");
    }
}
