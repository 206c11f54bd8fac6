//! The files of a folder do not import each other in circles: each can be read with only those below it in mind.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{is_test, layers, rust_files, source::Source};

/// Imports that are part of a circle: the folder, who imports, and whom. The list may only shrink.
const TOLERATED: &[(&str, &str, &str)] = &[
    ("delivery", "attempt", "dispatch"),
    ("delivery", "attempt", "worker"),
    ("delivery", "dispatch", "operator"),
    ("delivery", "dispatch", "release"),
    ("delivery", "fleet", "dispatch"),
    ("delivery", "fleet", "release"),
    ("delivery", "secrets", "dispatch"),
    ("delivery", "worker", "dispatch"),
    ("notify", "notification", "fleet"),
    ("notify", "notification", "report"),
    ("notify", "reason", "notification"),
    ("secret", "permission", "reader"),
    ("secret", "reader", "reference"),
    ("service", "secrets", "start"),
    ("telemetry", "metrics", "gauges"),
    ("web", "protect", "router"),
];

/// Who imports whom among the files of one folder; a file and its own folder are one.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The paths that a code names from the crate's root or from a module above; trees of `use` are written out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':')) {
                write_out(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Writes out one path or tree; the bytes that it takes.
fn write_out(code: &str, above: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut at = code.len() - code.trim_start().len();
    if code[at..].starts_with('{') {
        at += 1;
        loop {
            at += code[at..].len()
                - code[at..].trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',').len();
            match code[at..].chars().next() {
                None | Some('}') => return at + 1,
                Some(_) => at += write_out(&code[at..], above, found).max(1),
            }
        }
    }
    let length = code[at..].find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(code.len() - at);
    let path = [above, &[code[at..at + length].to_owned()]].concat();
    at += length;
    if let Some(rest) = code[at..].strip_prefix("::") {
        at + 2 + write_out(rest, &path, found)
    } else {
        found.push(path);
        at
    }
}

/// Which file a name belongs to that `mod.rs` gives on.
fn given_on(code: &str, files: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for statement in code.split("pub").skip(1).filter_map(|rest| rest.split(';').next()) {
        let Some(tree) = statement.split_once("use ").map(|(_, tree)| tree.trim_start_matches("self::")) else {
            continue;
        };
        let mut names = Vec::new();
        write_out(tree, &[], &mut names);
        for path in names.iter().filter(|path| files.contains(&path[0])) {
            owners.insert(path.last().unwrap().clone(), path[0].clone());
        }
    }
    owners
}

/// The imports among the files of each folder directly below `src/`.
fn graphs() -> BTreeMap<String, Imports> {
    let mut folders: BTreeMap<String, Vec<(PathBuf, Source)>> = BTreeMap::new();
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        if file.components().count() > 1 {
            let own = Source::read(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
            folders.entry(layers::folder(&file).to_owned()).or_default().push((file, own));
        }
    }
    folders.into_iter().map(|(folder, sources)| (folder.clone(), imports(&folder, &sources))).collect()
}

fn imports(folder: &str, sources: &[(PathBuf, Source)]) -> Imports {
    let module = |file: &PathBuf| {
        let inside = file.strip_prefix(folder).unwrap().with_extension("");
        inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let files: BTreeSet<String> = sources.iter().map(|(file, _)| module(file)[0].clone()).collect();
    let top = sources.iter().find(|(file, _)| module(file) == ["mod"]);
    let owners = top.map(|(_, source)| given_on(&source.code, &files)).unwrap_or_default();
    let mut imports = Imports::new();
    for (file, source) in sources {
        let mut own = module(file);
        own.retain(|part| part != "mod");
        let Some(name) = own.first() else { continue };
        for path in paths(&source.code) {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let from_top = if path[0] == "crate" && path.get(1).is_some_and(|first| first == folder) {
                &path[2..]
            } else if ups > 0 && ups == own.len() {
                &path[ups..]
            } else {
                continue;
            };
            let Some(first) = from_top.first() else { continue };
            let imported = if files.contains(first) { Some(first) } else { owners.get(first) };
            if let Some(imported) = imported.filter(|imported| *imported != name && *imported != "mod") {
                imports.entry(name.clone()).or_default().insert(imported.clone());
            }
        }
    }
    imports
}

/// Whether `from` imports `to`, however indirectly.
fn reaches(imports: &Imports, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(next) = left.pop() {
        for imported in imports.get(next).into_iter().flatten() {
            if imported == to {
                return true;
            }
            if seen.insert(imported) {
                left.push(imported);
            }
        }
    }
    false
}

#[test]
fn no_files_of_a_folder_import_each_other_in_circles() {
    let mut faults = Vec::new();
    for (folder, imports) in graphs() {
        let of_folder = TOLERATED.iter().filter(|(of, ..)| *of == folder);
        let mut without = imports.clone();
        for (_, from, to) in of_folder {
            if !imports.get(*from).is_some_and(|imported| imported.contains(*to)) || !reaches(&imports, to, from) {
                faults.push(format!("`{folder}/{from}` → `{to}` is tolerated, and no part of a circle any more"));
            }
            without.entry((*from).to_owned()).or_default().remove(*to);
        }
        for (from, imported) in &without {
            for to in imported.iter().filter(|to| reaches(&without, to, from)) {
                faults.push(format!("`{folder}/{from}` imports `{to}`, which imports it, too"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let source = |text: &str| Source::read(text);
    let sources = [
        ("rule/mod.rs", "mod a; mod b; mod c; mod d;\npub use a::{First, Other as Second};\npub use d::Third;"),
        ("rule/a.rs", "use super::{b::{self, x}, Third};"),
        ("rule/b.rs", "use crate::{domain::Sample, rule::c::y};"),
        ("rule/c/inner.rs", "fn f() -> crate::rule::First {}"),
        ("rule/d.rs", "// use super::a;\nuse std::fmt;"),
    ]
    .map(|(file, text)| (PathBuf::from(file), source(text)));
    let imports = imports("rule", &sources);
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a"), ("a", "d")] {
        assert!(reaches(&imports, from, to), "{from} {to}: {imports:?}");
    }
    assert!(!reaches(&imports, "d", "a"), "{imports:?}");
}
