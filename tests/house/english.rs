//! What people read is plain English: the phrases below are calques that a native speaker would not write. Strings are
//! searched, and in `cli/` the doc comments too, since they are the text of `--help`.

use std::path::Path;

use super::{is_test, layers, rust_files, source::Source};

/// A phrase, and what to write instead. Whole words are compared, regardless of case and line breaks.
const PHRASES: [(&str, &str); 12] = [
    ("is no", "is not a"),
    ("are no", "are not"),
    ("told", "notified, sent or reported"),
    ("stands where", "expected …, found …"),
    ("by itself", "on its own"),
    ("so many", "the number"),
    ("at at once", "immediately"),
    ("mend", "fix"),
    ("but for", "except"),
    ("besides", "also, or in addition to"),
    ("for long", "for a long time"),
    ("anew", "again"),
];

/// What may come before `is no` and `are no`.
const BEFORE_NO: &str = "there";
/// What may come after them.
const AFTER_NO: &str = "longer";

/// The phrases that a file below `src/` has, each once.
fn phrases(file: &Path, text: &str) -> Vec<String> {
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut read = Source::read(shipped).strings.replace("\\\n", "\n").replace("\\n", "\n");
    if layers::folder(file) == "cli" {
        read.extend(
            shipped.lines().filter_map(|line| line.trim_start().strip_prefix("///")).map(|line| format!("{line}\n")),
        );
    }
    let words: Vec<String> = read
        .split(|letter: char| letter.is_whitespace() || "\"'`(){}[].,;:!?…".contains(letter))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let is_found = |phrase: &str| {
        let phrase: Vec<_> = phrase.split(' ').collect();
        words.windows(phrase.len()).enumerate().any(|(at, window)| {
            let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
            let after = words.get(at + phrase.len()).map_or("", String::as_str);
            window == phrase && !(phrase.last() == Some(&"no") && (before == BEFORE_NO || after == AFTER_NO))
        })
    };
    PHRASES
        .iter()
        .filter(|(phrase, _)| is_found(phrase))
        .map(|(phrase, instead)| format!("says `{phrase}`: write `{instead}`"))
        .collect()
}

#[test]
fn what_people_read_is_plain_english() {
    let mut faults = Vec::new();
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        let found = phrases(&file, &text);
        let name = file.to_string_lossy();
        faults.extend(found.iter().map(|fault| format!("src/{name}: {fault}")));
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_calque_is_found_and_plain_english_is_not() {
    for (file, text, phrase) in [
        ("zones/mod.rs", r#"const A: &str = "`x` is no zone";"#, "is no"),
        ("zones/mod.rs", "const A: &str = r\"These are no zones\";", "are no"),
        ("zones/mod.rs", "const A: &str = \"the operator is \\\n    told\";", "told"),
        ("zones/mod.rs", r#"const A: &str = "Mend it.";"#, "mend"),
        ("zones/mod.rs", r#"const A: &str = "first\nbut for the last";"#, "but for"),
        ("cli/run.rs", "/// Ends by itself\nfn run() {}", "by itself"),
    ] {
        let found = phrases(Path::new(file), text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("says `{phrase}`")), "{text}: {found:?}");
    }
    for (file, text) in [
        (
            "zones/mod.rs",
            r#"const A: &str = "there is no zone `x`; it is no longer known, and `notified_at` is amended";"#,
        ),
        ("zones/mod.rs", "/// It is no zone.\nconst A: u8 = 1;"),
        ("zones/mod.rs", "#[cfg(test)]\nmod tests { const A: &str = \"is no zone\"; }"),
    ] {
        assert_eq!(phrases(Path::new(file), text), Vec::<String>::new(), "{text}");
    }
}
