//! What people read is plain English: the phrases below are calques that a native speaker would not write. Strings are
//! searched, and in `cli/` the doc comments too, since they are the text of `--help`; also the documentation and the names of tests.

use std::{collections::BTreeSet, fs, path::Path};

use super::{is_test, layers, rust_files, source::Source};

/// Words that no name in code contains, and what to write instead: each thing has one word, the one that people read.
const OLD_WORDS: [(&str, &str); 27] = [
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
    ("wind", "start"),
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
/// What may come after `is no` and `are no`.
const AFTER_NO: [&str; 2] = ["longer", "data"];
/// What may come after `for long`.
const AFTER_LONG: &str = "enough";

/// The phrases that a file below `src/` has, each once.
fn phrases(file: &Path, text: &str) -> Vec<String> {
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut read = Source::read(shipped).strings.replace("\\\n", "\n").replace("\\n", "\n");
    if layers::folder(file) == "cli" {
        read.extend(
            shipped.lines().filter_map(|line| line.trim_start().strip_prefix("///")).map(|line| format!("{line}\n")),
        );
    }
    faults_of(&read)
}

/// The phrases that a text has, each once.
fn faults_of(text: &str) -> Vec<String> {
    let words: Vec<String> = text
        .split(|letter: char| letter.is_whitespace() || "\"'`(){}[].,;:!?…*".contains(letter))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let is_found = |phrase: &str| {
        let phrase: Vec<_> = phrase.split(' ').collect();
        words.windows(phrase.len()).enumerate().any(|(at, window)| {
            let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
            let after = words.get(at + phrase.len()).map_or("", String::as_str);
            let is_meant = match phrase.last() {
                Some(&"no") => before == BEFORE_NO || AFTER_NO.contains(&after),
                Some(&"long") => after == AFTER_LONG,
                _ => false,
            };
            window == phrase && !is_meant
        })
    };
    PHRASES
        .iter()
        .filter(|(phrase, _)| is_found(phrase))
        .map(|(phrase, instead)| format!("says `{phrase}`: write `{instead}`"))
        .collect()
}

/// A page without its code, which may name what an older version called something.
fn prose(page: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in page.lines() {
        is_code ^= line.trim_start().starts_with("```");
        if !is_code {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// Every page of the documentation, with its text.
fn pages() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![top.join("docs"), top.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && folder != top {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(top).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_documentation_is_plain_english() {
    let pages = pages();
    assert!(["README.md", "docs/reference/webhook.md"].iter().all(|name| pages.iter().any(|(page, _)| page == name)));
    let faults = pages
        .iter()
        .flat_map(|(name, text)| faults_of(&prose(text)).into_iter().map(move |fault| format!("{name}: {fault}")));
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The names of the tests in a file.
fn test_names(text: &str) -> Vec<String> {
    let (mut found, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next());
        if let Some(name) = name {
            found.extend(std::mem::take(&mut is_test).then(|| name.to_owned()));
        }
    }
    found
}

#[test]
fn the_names_of_tests_are_plain_english() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            for name in test_names(&text) {
                count += 1;
                let found = faults_of(&name.replace('_', " ")).into_iter();
                faults.extend(found.map(|fault| format!("{folder}/{}: `{name}` {fault}", file.display())));
            }
        }
    }
    assert!(faults.is_empty() && count > 1_500, "{count} tests\n{}\n", faults.join("\n"));
}

#[test]
fn a_calque_is_found_in_a_page_and_in_the_name_of_a_test() {
    assert_eq!(faults_of(&prose("It is `told`\n```\nbesides\n```\nand **so many**\ntenants")).len(), 1);
    assert_eq!(faults_of(&prose("This is no data; it is not for long enough.")), Vec::<String>::new());
    let tests = "#[test]\n#[ignore = \"x\"]\nfn a_is_no_b() {\n    fn inner() {}\n}\nfn helper_is_no_test() {}";
    assert_eq!(test_names(tests), ["a_is_no_b"]);
    assert_eq!(faults_of(&"a_is_no_b".replace('_', " ")).len(), 1);
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
