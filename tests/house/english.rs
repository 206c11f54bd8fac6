//! What people read is plain English: the phrases below are calques that a native speaker would not write. Strings are
//! searched, and in `cli/` the doc comments too, since they are the text of `--help`.

use std::{collections::BTreeSet, path::Path};

use super::{is_test, layers, rust_files, source::Source};

/// Words that no name in code contains, and what to write instead: each thing has one word, the one that people read.
const OLD_WORDS: [(&str, &str); 26] = [
    ("told", "notified, sent, arrived or reported"),
    ("tell", "notify"),
    ("tells", "notifies"),
    ("telling", "notifying"),
    ("untold", "unreported"),
    ("standings", "statuses"),
    ("gravity", "level"),
    ("strand", "replay"),
    ("strands", "replays"),
    ("course", "history"),
    ("courses", "histories"),
    ("adopt", "onboard"),
    ("adopted", "onboarded"),
    ("adoption", "onboarding"),
    ("absence", "downtime"),
    ("absences", "downtimes"),
    ("proofs", "materials"),
    ("carrier", "merged_into"),
    ("carriers", "targets"),
    ("carried", "merged"),
    ("withheld", "suppressed"),
    ("imprint", "fingerprint"),
    ("mended", "recovered"),
    ("anew", "again"),
    ("wheel", "planner"),
    ("bed", "fixture"),
];

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

/// The names in a file that contain an old word, each once.
fn old_names(text: &str) -> Vec<String> {
    let code = Source::read(text).code;
    let names: BTreeSet<&str> = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let old = |name: &&str| {
        let words = words_of(name);
        OLD_WORDS.iter().find(|(old, _)| words.iter().any(|word| word == old)).map(|(_, instead)| *instead)
    };
    names.iter().filter_map(|name| Some(format!("`{name}`: call it `{}`", old(name)?))).collect()
}

/// The words of a name in snake or camel case, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words
}

#[test]
fn each_thing_has_one_word_in_code() {
    let mut faults = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            faults.extend(old_names(&text).iter().map(|fault| format!("{folder}/{}: {fault}", file.display())));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn an_old_word_is_found_in_a_name_and_nowhere_else() {
    for name in ["told_at", "fn it_is_told_once() {}", "struct HasTold;", "const TOLD: u8 = 1;"] {
        assert_eq!(old_names(name).len(), 1, "{name}");
    }
    for text in ["let toldness = 1;", "// told\nconst A: &str = \"told\";", "let embedded = bedrock;"] {
        assert_eq!(old_names(text), Vec::<String>::new(), "{text}");
    }
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
