//! Functions fit on a screen, and hide no parameters in tuples to have fewer of them.

use super::rust_files;

/// Longest function, in lines.
const LINES_MAX: usize = 70;

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
    let mut faults = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            for (name, lines) in functions(&text).into_iter().filter(|(_, lines)| *lines > LINES_MAX) {
                faults.push(format!("{folder}/{}: `{name}` has {lines} lines: take it apart", file.display()));
            }
        }
    }
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
    for (file, text) in rust_files("src") {
        let hides = text.lines().find(|line| takes_a_tuple_apart(line));
        assert_eq!(hides, None, "src/{}: name the parameters one by one, or give them a type", file.display());
    }
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
