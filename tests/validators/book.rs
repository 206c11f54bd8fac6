//! The documentation as mdBook builds it: every link of every page leads somewhere, and what is searched for is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

/// The values of an attribute in a page.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!(" {name}=\"");
    page.match_indices(&begin).filter_map(|(at, _)| page[at + begin.len()..].split('"').next()).collect()
}

fn html(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            html(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "html") {
            found.push(path);
        }
    }
}

/// The path without `..`, which would lead through folders that are not there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
#[ignore = "needs mdbook and Python"]
fn every_link_of_the_book_leads_somewhere_and_the_search_finds_pages() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut mdbook = Command::new("mdbook");
    let output = mdbook.arg("build").arg(root.join("docs")).arg("--dest-dir").arg(folder.path()).output();
    let output = output.expect("mdbook is installed");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");

    let mut paths = Vec::new();
    html(folder.path(), &mut paths);
    // Both repeat what the others have.
    paths.retain(|path| !path.ends_with("print.html") && !path.ends_with("404.html"));
    let pages: BTreeMap<_, _> =
        paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    let ids: BTreeMap<_, BTreeSet<_>> =
        pages.iter().map(|(path, page)| (path, attributes(page, "id").into_iter().collect())).collect();
    let (mut faults, mut seen) = (Vec::new(), 0);
    for (path, page) in &pages {
        for target in attributes(page, "href").into_iter().chain(attributes(page, "src")) {
            if target.contains("://") || target.starts_with("mailto:") || target.is_empty() {
                continue;
            }
            seen += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { path.clone() } else { plain(&path.parent().unwrap().join(file)) };
            let is_there = to.exists() && (heading.is_empty() || ids.get(&to).is_none_or(|ids| ids.contains(heading)));
            if !is_there || (!heading.is_empty() && !ids.contains_key(&to)) {
                faults.push(format!("{}: {target}", path.strip_prefix(folder.path()).unwrap().display()));
            }
        }
    }
    assert!(seen > 1_000, "the links were not found");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));

    let index = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let index = index.into_iter().find(|path| path.to_string_lossy().contains("searchindex"));
    let index = fs::read_to_string(index.expect("there is an index to search")).unwrap();
    for page in
        ["guides/cookbook.html", "operations/doctor.html", "reference/configuration.html", "project/changelog.html"]
    {
        assert!(index.contains(page), "the search does not know {page}");
    }
}
