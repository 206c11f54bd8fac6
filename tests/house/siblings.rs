//! The files of a folder do not import each other in circles: each can be read with only those below it in mind.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{is_test, rust_files, source::Source};

/// Imports that are part of a circle: the folder, who imports, and whom. The list may only shrink.
const TOLERATED: &[(&str, &str, &str)] = &[];

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

/// The imports among the files of each folder below `src/`, however deep: `store/sqlite`.
fn graphs() -> BTreeMap<String, Imports> {
    let mut folders: BTreeMap<PathBuf, Vec<(PathBuf, Source)>> = BTreeMap::new();
    let mut sources = Vec::new();
    for (file, text) in rust_files("src").into_iter().filter(|(file, _)| !is_test(file)) {
        sources.push((file, Source::read(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default())));
    }
    for (file, source) in &sources {
        for folder in file.ancestors().skip(1).filter(|folder| folder.components().count() > 0) {
            folders.entry(folder.to_owned()).or_default().push((file.clone(), source.clone()));
        }
    }
    let top_beside = |folder: &Path| sources.iter().find(|(file, _)| *file == folder.with_extension("rs"));
    let graph = |(folder, sources): (PathBuf, Vec<(PathBuf, Source)>)| {
        let top = sources.iter().find(|(file, _)| *file == folder.join("mod.rs")).or_else(|| top_beside(&folder));
        let imports = imports(&folder, top.map(|(_, source)| source), &sources);
        (folder.display().to_string(), imports)
    };
    folders.into_iter().map(graph).collect()
}

/// The imports among the files of one folder; `top` is the file that gives names on.
fn imports(folder: &Path, top: Option<&Source>, sources: &[(PathBuf, Source)]) -> Imports {
    let module = |file: &PathBuf| {
        let inside = file.strip_prefix(folder).unwrap().with_extension("");
        inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let files: BTreeSet<String> = sources.iter().map(|(file, _)| module(file)[0].clone()).collect();
    let owners = top.map(|source| given_on(&source.code, &files)).unwrap_or_default();
    let from_root: Vec<&str> = [OsStr::new("crate")].into_iter().chain(folder).filter_map(OsStr::to_str).collect();
    let mut imports = Imports::new();
    for (file, source) in sources {
        let mut own = module(file);
        own.retain(|part| part != "mod");
        let Some(name) = own.first() else { continue };
        for path in paths(&source.code) {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let from_top = if path.len() > from_root.len() && path[..from_root.len()] == from_root[..] {
                &path[from_root.len()..]
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
    let imports = imports(Path::new("rule"), Some(&sources[0].1), &sources);
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a"), ("a", "d")] {
        assert!(reaches(&imports, from, to), "{from} {to}: {imports:?}");
    }
    assert!(!reaches(&imports, "d", "a"), "{imports:?}");
}

#[test]
fn a_circle_is_found_in_a_folder_of_a_folder() {
    let sources = [
        ("rule/deep/a.rs", "use super::Second;\nuse crate::rule::other::First;"),
        ("rule/deep/b/inner.rs", "use super::super::a::x;\nuse crate::rule::deep::c::y;"),
        ("rule/deep/c.rs", "use crate::deep::a;"),
    ]
    .map(|(file, text)| (PathBuf::from(file), Source::read(text)));
    let top = Source::read("mod a; mod b; mod c;\npub use self::b::{First, Second};");
    let imports = imports(Path::new("rule/deep"), Some(&top), &sources);
    for (from, to, expected) in [("a", "b", true), ("b", "a", true), ("b", "c", true), ("c", "a", false)] {
        assert_eq!(reaches(&imports, from, to), expected, "{from} {to}: {imports:?}");
    }
}
