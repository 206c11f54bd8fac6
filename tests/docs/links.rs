//! Every relative link leads to a file and, where it names one, to a heading.

use std::{fs, path::Path};

use super::page::{Page, ROOT, pages};

/// The targets of a text's links and images, with their lines.
fn targets(page: &Page) -> Vec<(usize, String)> {
    let prose = page.prose();
    let mut found = Vec::new();
    // A link may be broken between two lines of the source, so the text is searched as a whole.
    for (at, _) in prose.match_indices("](") {
        let rest = &prose[at + 2..];
        let target = &rest[..rest.find(')').unwrap_or(rest.len())];
        found.push((prose[..at].lines().count().max(1), target.to_owned()));
    }
    found
}

/// What is wrong with a link.
fn fault(page: &Page, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(&page.path).parent().unwrap_or_else(|| Path::new(""));
    let path = Path::new(ROOT).join(folder).join(file);
    let is_page = file.is_empty() || path.extension().is_some_and(|extension| extension == "md");
    if !file.is_empty() && !path.exists() {
        return Some("there is no such file".to_owned());
    }
    if heading.is_empty() {
        return None;
    }
    if !is_page {
        return Some("only a page has headings".to_owned());
    }
    let text = if file.is_empty() { page.text.clone() } else { fs::read_to_string(&path).unwrap() };
    let anchors = Page { path: file.to_owned(), text }.anchors();
    (!anchors.iter().any(|anchor| anchor == heading))
        .then(|| format!("there is no heading `{heading}`; there are {anchors:?}"))
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for (line, target) in targets(&page) {
            seen += 1;
            faults.extend(fault(&page, &target).map(|fault| format!("{}:{line}: {target}: {fault}", page.path)));
        }
    }
    assert!(seen > 100, "the links were not found");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    let page = |text: &str| Page { path: "docs/README.md".to_owned(), text: text.to_owned() };
    let faults = |text: &str| {
        let page = page(text);
        targets(&page).into_iter().filter_map(|(_, target)| fault(&page, &target)).count()
    };
    assert_eq!(faults("# Here\n[a](https://example.com/#x) [b](../README.md#scorewatch) [c](#here)"), 0);
    assert_eq!(faults("[a](nowhere.md) [b](../README.md#nowhere) [c](#nowhere) [d](../src#x)"), 4);
}
