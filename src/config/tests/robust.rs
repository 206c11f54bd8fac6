//! Whatever the bytes, the answer is a configuration or problems, and soon.

use std::fs;

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{MAIN, RULES, TENANT, read, read_bytes};

#[test]
fn bombs_and_broken_files_are_problems_at_their_places() {
    let bomb = (1..10).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |bomb, level| {
        let alias = format!("*a{}", level - 1);
        format!("{bomb}a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "))
    });
    let huge = format!("# {}\n{TENANT}", "x".repeat(4 * 1024 * 1024));
    let exact = format!("{TENANT}#{}", "x".repeat(4 * 1024 * 1024 - TENANT.len() - 1));
    assert!(read_bytes(MAIN, exact.as_bytes(), RULES).0.config.is_some(), "4 MiB are taken");
    for (bytes, reported) in [
        (bomb.into_bytes(), "aliases repeat more than 100000 values"),
        (b"[".repeat(1_000_000), ":1:"),
        (b"{a: ".repeat(1_000_000), ":1:"),
        (b"- ".repeat(1_000_000), ":1:"),
        (b"&a [*a]".to_vec(), "1:5: error"),
        (huge.into_bytes(), "1:1: error: the file is larger than 4 MiB"),
        (b"id: a\0b".to_vec(), ":1:"),
        (b"id: contoso\nname: \xff\n".to_vec(), "2:1: error: this line is not UTF-8"),
        (b"".to_vec(), "1:1: error: the file is empty"),
        (b"# nothing\n".to_vec(), "1:1: error: the file is empty"),
        (b"id:\n\tname: x".to_vec(), ":2:"),
        (b"id: a\n<<: { name: x }".to_vec(), "2:1: error: merge keys"),
        (b"id: a\n---\nid: b".to_vec(), "a second document begins here"),
        (b"id: !!binary aGk=".to_vec(), "tags (`!name`) are not read"),
        (b"? [a]\n: b".to_vec(), "expected a key, found a list or mapping"),
        (b"id: a\nid: b".to_vec(), "2:1: error: duplicate key `id`; the first is on line 1, column 1"),
        (b"5".to_vec(), "expected a mapping, found a number"),
        (b"- 5".to_vec(), "1:3: error: [0]: expected a mapping, found a number"),
    ] {
        let (loaded, text) = read_bytes(MAIN, &bytes, RULES);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        assert!(loaded.config.is_none() && text.contains(reported), "{shown:?}: {reported} is not in\n{text}");
    }
    for main in ["- a", "5", "[]"] {
        let (loaded, text) = read(main, TENANT, RULES);
        assert!(loaded.config.is_none() && text.contains("scorewatch.yaml:1:"), "{main}: {text}");
    }
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_are_taken_and_places_stay_right() {
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (loaded, text) = read(&windows(MAIN), &windows(TENANT), &windows(RULES));
    assert!(loaded.config.is_some() && loaded.problems.is_empty(), "{text}");
    let (_, text) = read(&windows(&MAIN.replace("Berlin", "Berln")), &windows(TENANT), &windows(RULES));
    assert!(text.starts_with("scorewatch.yaml:4:11: error: timezone: "), "{text}");
    assert!(text.contains("timezone: Europe/Berln") && !text.contains('\r'), "{text}");
}

#[test]
fn what_stands_twice_in_two_files_names_both() {
    let folder = tempfile::tempdir().unwrap();
    super::lay_out(folder.path(), MAIN.as_bytes(), TENANT.as_bytes(), RULES.as_bytes());
    fs::write(folder.path().join("tenants/again.yaml"), TENANT).unwrap();
    fs::write(folder.path().join("rules/again.yaml"), RULES).unwrap();
    let (_, text) = super::load_in(folder.path());
    for reported in [
        "tenants/contoso.yaml:2:5: error: id: tenant `contoso` is defined a second time; give each tenant an `id` of its own; \
         the other is at tenants/again.yaml:2:5",
        "rules/all.yaml:11:13: error: rules[2].name: rule `blind` is defined a second time",
    ] {
        assert!(text.contains(reported), "{reported} is not in\n{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_bytes_are_a_configuration_or_problems(bytes in vec(any::<u8>(), 0..400), text in "[a-z:{}\\[\\]*&!|>'\"\\-? \n\t#]{0,200}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("scorewatch.yaml"), bytes).unwrap();
            let (loaded, _) = super::load_in(folder.path());
            prop_assert!(loaded.config.is_some() || !loaded.problems.is_empty());
        }
    }

    #[test]
    fn a_mutated_configuration_is_a_configuration_or_problems(
        which in 0..3_usize,
        cuts in vec((any::<Index>(), any::<Index>(), "[ -~\n]{0,6}"), 1..4),
    ) {
        let mut texts = [MAIN.to_owned(), TENANT.to_owned(), RULES.to_owned()];
        for (from, to, put) in cuts {
            let text = &mut texts[which];
            if text.is_empty() {
                break;
            }
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            text.replace_range(from.min(to)..(from.max(to)).min(from.min(to) + 12), &put);
        }
        let (loaded, text) = read(&texts[0], &texts[1], &texts[2]);
        prop_assert!(loaded.config.is_some() || loaded.problems.iter().any(|problem| !problem.what.is_empty()), "{text}");
    }
}
