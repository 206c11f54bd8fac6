//! Whatever a person does to the store is one transaction with its entry in the audit log: an action calls nothing that writes without one.

use std::{collections::BTreeSet, path::Path};

use super::{is_test, rust_files, source::Source};

/// The layers below that write to a store that they are given.
const WRITERS: [&str; 2] = ["src/check", "src/delivery"];

/// The functions of a folder, each from its name on, without white space.
fn functions(folder: &str, begin: &str) -> Vec<String> {
    let files = rust_files(folder).into_iter().filter(|(file, _)| !is_test(file));
    let codes = files.map(|(_, text)| Source::read(text.split("#[cfg(test)]").next().unwrap_or_default()).code);
    let compact = |function: &str| function.split_whitespace().collect::<String>();
    codes.flat_map(|code| code.split(begin).skip(1).map(compact).collect::<Vec<_>>()).collect()
}

fn name(function: &str) -> String {
    function.split(['(', '<']).next().unwrap_or_default().to_owned()
}

/// Calls that write without an entry: methods of the store, and functions that are given a store.
fn unrecorded() -> BTreeSet<String> {
    let methods = functions("src/store/sql/role", "async fn ").into_iter().filter(|method| {
        (method.contains("self.writer.write(") || method.contains("self.writer.check(")) && !method.contains("NewEntry")
    });
    let functions = WRITERS.iter().flat_map(|folder| functions(folder, "pub async fn ")).filter(|function| {
        let signature = function.split('{').next().unwrap_or_default();
        signature.contains("&dynStore") && !signature.contains("NewEntry")
    });
    let methods = methods.map(|method| format!(".{}(", name(&method)));
    methods.chain(functions.map(|function| format!("::{}(", name(&function)))).collect()
}

#[test]
fn every_act_that_the_store_records_is_tried() {
    let methods = functions("src/store/role", "async fn ").into_iter();
    let recorded = methods.filter(|method| method.split(';').next().is_some_and(|head| head.contains("NewEntry")));
    // An entry on its own: what it is about is done elsewhere.
    let recorded: BTreeSet<String> = recorded.map(|method| name(&method)).filter(|name| name != "record").collect();
    let tests = rust_files("tests/store").into_iter().find(|(file, _)| file == Path::new("recorded.rs"));
    let (_, text) = tests.unwrap();
    let acts = text.split("const ACTS").nth(1).and_then(|rest| rest.split("\n];").next()).unwrap();
    let tried = acts.lines().filter_map(|line| line.strip_prefix("    (\"")?.split('"').next());
    let tried: BTreeSet<String> = tried.map(str::to_owned).collect();
    assert_eq!(tried, recorded);
    assert!(tried.contains("end_session"), "as a control: {tried:?}");
}

#[test]
fn an_action_writes_nothing_without_an_entry() {
    let unrecorded = unrecorded();
    for known in [".commit(", ".announce(", "::accept_covered(", "::queue("] {
        assert!(unrecorded.contains(known), "as a control: {known}: {unrecorded:?}");
    }
    for recorded in [".commit_action(", ".resend(", ".add_token(", "::accept("] {
        assert!(!unrecorded.contains(recorded), "as a control: {recorded}: {unrecorded:?}");
    }
    for (file, text) in rust_files("src/action") {
        let code = Source::read(text.split("#[cfg(test)]").next().unwrap_or_default()).code;
        let code: String = code.split_whitespace().collect();
        let call = unrecorded.iter().find(|call| code.contains(*call));
        assert_eq!(call, None, "src/action/{}: it writes without an entry in the audit log", file.display());
    }
}
