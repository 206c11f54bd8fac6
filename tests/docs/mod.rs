//! The documentation keeps its promises: the README is short, links lead somewhere, examples load, command lines parse, and what is
//! generated from the program is what the program says. Nothing here is slow, so that people run it while they write.

mod commands;
mod configuration;
mod defaults;
mod examples;
mod facts;
mod generated;
mod links;
mod page;

use page::{Page, pages};

/// Longest README, in lines.
const README_LINES_MAX: usize = 200;

#[test]
fn the_readme_is_short() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines; move what is not needed first into docs/");
}

#[test]
fn every_page_is_found_and_is_in_the_index() {
    let index = Page::read("docs/README.md").text;
    let unlisted: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned))
        .filter(|path| path != "README.md" && !index.contains(&format!("({path})")))
        .collect();
    assert!(pages().len() > 20, "the pages were not found");
    assert!(unlisted.is_empty(), "docs/README.md does not list {unlisted:?}");
}
