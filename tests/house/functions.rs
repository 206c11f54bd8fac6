//! Functions fit on a screen, and hide no parameters in tuples to have fewer of them.

use super::rust_files;

/// Longest function, in lines.
const LINES_MAX: usize = 70;

/// Longer functions: the file, and the function. The list may only shrink.
const LONG: &[(&str, &str)] = &[
    ("src/simulation/cloud/refusal.rs", "parts"),
    ("src/delivery/attempt.rs", "make"),
    ("src/notify/reason/control_diff/tests.rs", "each_kind_of_change_is_explained_by_what_the_numbers_show"),
    ("src/config/import/sheet.rs", "read_sheet"),
    ("src/config/rules.rs", "rule"),
    ("src/service/start.rs", "start"),
    ("src/config/tests/secret_stores.rs", "a_bad_secret_store_is_reported_once_and_not_again_where_it_is_named"),
    ("src/replay/fleet.rs", "find"),
    ("src/config/tenants.rs", "take"),
    ("tests/integration/stages/scenarios.rs", "fleets"),
    ("tests/promise/online.rs", "an_online_check_says_what_each_tenant_lacks"),
    ("benches/signal/signal.rs", "tally"),
];

/// Files with functions that take a tuple apart in their list of parameters. The list may only shrink.
const WITH_TUPLES: &[&str] = &[
    "src/action/alert.rs",
    "src/action/preview.rs",
    "src/check/close.rs",
    "src/cli/output.rs",
    "src/config/import/plan.rs",
    "src/config/suite/held.rs",
    "src/delivery/attempt.rs",
    "src/query/backtest.rs",
    "src/query/backtest/history.rs",
    "src/query/explain.rs",
    "src/query/explain/blindness.rs",
    "src/store/sqlite/erase.rs",
    "src/store/sqlite/erase/mentions.rs",
    "src/store/sqlite/merge.rs",
    "src/store/sqlite/outbox.rs",
    "src/store/sqlite/roster/rewrite.rs",
];

/// The functions of a file, each with its lines. The format of the code says where one ends.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let is_other_word = |word: &str| matches!(word, "const" | "async" | "unsafe") || word.starts_with("pub");
        let mut words = line.split_whitespace().skip_while(|word| is_other_word(word));
        if words.next() != Some("fn") {
            continue;
        }
        let name = words.next().unwrap_or_default().split(['(', '<']).next().unwrap_or_default();
        let ends =
            |line: &&str| line.len() > indent && line[..indent].trim().is_empty() && line[indent..].starts_with('}');
        let length = if line.ends_with(['}', ';']) { Some(0) } else { lines[first + 1..].iter().position(ends) };
        found.push((name, length.map_or(1, |length| length + 2)));
    }
    found
}

#[test]
fn functions_fit_on_a_screen() {
    let (mut faults, mut unused) = (Vec::new(), LONG.to_vec());
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            let file = format!("{folder}/{}", file.display());
            for (name, lines) in functions(&text).into_iter().filter(|(_, lines)| *lines > LINES_MAX) {
                if LONG.contains(&(file.as_str(), name)) {
                    unused.retain(|long| *long != (file.as_str(), name));
                } else {
                    faults.push(format!("{file}: `{name}` has {lines} lines: take it apart"));
                }
            }
        }
    }
    faults.extend(unused.iter().map(|(file, name)| format!("{file}: `{name}` fits now: take it off the list")));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Whether a line of a function's parameters is a tuple taken apart: `(tenant, rule): (&Tenant, &Rule),`.
fn takes_a_tuple_apart(line: &str) -> bool {
    let Some((pattern, of)) = line.trim().split_once("): (") else { return false };
    let names = pattern.strip_prefix('(').map(|names| names.split(", ").collect::<Vec<_>>());
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    of.ends_with("),") && names.is_some_and(|names| names.len() > 1 && names.iter().all(is_name))
}

#[test]
fn no_parameters_hide_in_a_tuple() {
    let mut unused = WITH_TUPLES.to_vec();
    for (file, text) in rust_files("src") {
        let file = format!("src/{}", file.display());
        if text.lines().any(takes_a_tuple_apart) {
            assert!(
                WITH_TUPLES.contains(&file.as_str()),
                "{file}: name the parameters one by one, or give them a type"
            );
            unused.retain(|known| *known != file);
        }
    }
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}

#[test]
fn long_functions_and_hidden_parameters_are_found() {
    let long = format!(
        "impl X {{\n    pub(super) const fn long<T>(\n        a: T,\n    ) {{\n{}    }}\n}}\n",
        "        a;\n".repeat(70)
    );
    assert_eq!(functions(&long), [("long", 74)]);
    assert_eq!(functions("fn short() {\n}\nfn one() {}\n"), [("short", 2), ("one", 2)]);
    assert!(takes_a_tuple_apart("    (tenant, rule): (&Tenant, &Rule),"));
    for fine in ["    tenant: &Tenant,", "let (a, b): (u8, u8) = c;", "    pair: (u8, u8),"] {
        assert!(!takes_a_tuple_apart(fine), "{fine}");
    }
}
