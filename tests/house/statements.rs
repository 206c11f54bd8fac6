//! Statements name the columns that they read and write, so that they go on working after a later version has added one: a prepared
//! statement whose columns change fails once in PostgreSQL, and SQLite wants a value for every column.

use super::{is_test, rust_files, source::Source};

#[test]
fn every_statement_of_the_store_names_its_columns() {
    for (file, text) in rust_files("src/store").into_iter().filter(|(file, _)| !is_test(file)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let strings = Source::read(code).strings.replace('\\', " ");
        let words: Vec<&str> = strings.split_whitespace().collect();
        for window in words.windows(4) {
            let reads_all = window[0] == "SELECT" && window[1] == "*" && !window[3].starts_with("unnest(");
            let writes_all = window[..2] == ["INSERT", "INTO"] && ["VALUES", "SELECT"].contains(&window[3]);
            let said = window.join(" ");
            assert!(!reads_all && !writes_all && !said.contains(".*"), "src/store/{}: {said}", file.display());
        }
    }
}
