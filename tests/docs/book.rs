//! The documentation as a site: its table of contents lists every page, and the threat model names tests that there are.

use std::{collections::BTreeSet, fs, path::Path};

use super::page::{Page, ROOT, pages};

/// Pages of docs/ that the table of contents leads to, in its order.
fn listed() -> Vec<String> {
    let summary = Page::read("docs/SUMMARY.md").text;
    let targets = summary.match_indices("](").map(|(at, _)| &summary[at + 2..]);
    targets.map(|rest| rest[..rest.find(')').unwrap()].to_owned()).collect()
}

#[test]
fn the_table_of_contents_lists_every_page_once() {
    let listed = listed();
    let once: BTreeSet<_> = listed.iter().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice in {listed:?}");
    let paths: Vec<_> =
        pages().into_iter().filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned)).collect();
    let missing: Vec<_> = paths.iter().filter(|path| *path != "SUMMARY.md" && !once.contains(path)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md does not list {missing:?}");
    assert!(listed.iter().all(|path| paths.contains(path)), "docs/SUMMARY.md lists a page that is not there");
}

#[test]
fn a_page_of_the_project_is_a_chapter_that_says_which() {
    let script = fs::read_to_string(Path::new(ROOT).join("docs/outside.py")).unwrap();
    let stubs: Vec<_> = pages().into_iter().filter(|page| page.path.starts_with("docs/project/")).collect();
    assert!(stubs.len() > 5);
    for stub in stubs {
        let line = script.lines().find(|line| line.contains(stub.path.strip_prefix("docs/").unwrap()));
        let page = line.unwrap_or_else(|| panic!("docs/outside.py does not name {}", stub.path));
        let page = page.split('"').nth(1).unwrap();
        assert!(stub.text.contains(&format!("(../../{page})")), "{}: {page}", stub.path);
    }
}

/// Every function of a test in the source, by name.
fn tests() -> BTreeSet<String> {
    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // What runs on each kind of store is listed by a macro.
                let (mut is_test, mut is_listed) = (false, false);
                for line in text.lines().map(str::trim) {
                    is_listed = (is_listed && line != "}") || line == "on_both! {";
                    found.extend(is_listed.then(|| line.trim_end_matches([',', ';']).to_owned()));
                    let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
                    if let Some(name) = name {
                        if is_test {
                            found.extend(name.split(['(', '<']).next().map(str::to_owned));
                        }
                        is_test = false;
                    }
                    is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    for folder in ["src", "tests"] {
        collect(&Path::new(ROOT).join(folder), &mut found);
    }
    found
}

#[test]
fn the_threat_model_names_tests_that_there_are() {
    let (page, tests) = (Page::read("docs/operations/threat-model.md"), tests());
    let rows = page.text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| --"));
    let mut named = 0;
    for row in rows.filter(|row| !row.ends_with("| shown by |")) {
        let shown_by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let shown: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!shown.is_empty(), "no test shows {row}");
        for name in shown {
            assert!(tests.contains(name), "docs/operations/threat-model.md: there is no test `{name}`");
            named += 1;
        }
    }
    assert!(named > 40, "the tests were not found");
}
