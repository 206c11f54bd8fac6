//! Parts of pages that are made from the program, so that they can't become stale.

use std::{fs, path::Path};

use super::page::{Page, ROOT};

/// The variable that makes the tests write the parts instead of comparing them.
const UPDATE: &str = "UPDATE_DOCS";

/// The line before a generated part.
const BEGIN: &str =
    "<!-- Generated: run `UPDATE_DOCS=1 cargo test --test all -- docs::` after a change of the program. -->";

/// The line after it.
const END: &str = "<!-- End of the generated part. -->";

/// Holds the generated part of that page against what it has to be, or writes it if the environment asks for it.
pub(super) fn expect(path: &str, part: &str) {
    let page = Page::read(path).text;
    let (before, rest) = page.split_once(BEGIN).unwrap_or_else(|| panic!("{path} has no line `{BEGIN}`"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{path} has no line `{END}`"));
    let wanted = format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", part.trim());
    if wanted == page {
        return;
    }
    if std::env::var_os(UPDATE).is_some() {
        fs::write(Path::new(ROOT).join(path), wanted).unwrap();
        return;
    }
    let differs = wanted.lines().zip(page.lines()).enumerate().find(|(_, (wanted, is))| wanted != is);
    let place = differs.map_or_else(String::new, |(line, (wanted, is))| {
        format!("; the first difference is in line {}:\n- {is}\n+ {wanted}\n", line + 1)
    });
    panic!("{path} is not what the program says; run `{UPDATE}=1 cargo test --test all -- docs::`{place}");
}

/// A text in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
