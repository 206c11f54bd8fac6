//! Functions fit on a screen, and hide no parameters in tuples to have fewer of them.

use super::{rust_files, source::Source};

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

/// The functions that take a tuple, whether they take it apart among their parameters or later.
fn taking_tuples(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ").filter(|(at, _)| !code[..*at].ends_with(char::is_alphanumeric)) {
        let signature = &code[at + "fn ".len()..];
        let name =
            signature.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
        let is_tuple = |parameter: &&str| {
            let of = parameter.split_once(": ").map_or("", |(_, of)| of.trim_start());
            of.starts_with('(') && !of.starts_with("()")
        };
        if !name.is_empty() && parameters(signature).iter().any(is_tuple) {
            found.push(name);
        }
    }
    found
}

/// The parameters of a function, from its name on; none if the text is cut off.
fn parameters(signature: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut angles, mut from, mut before) = (0_u32, 0_u32, None, ' ');
    for (at, letter) in signature.char_indices() {
        match letter {
            '<' => angles += 1,
            '>' if before != '-' => angles = angles.saturating_sub(1),
            // Bounds have brackets, too.
            '(' if depth == 0 && angles > 0 => {}
            '(' | '[' if depth == 0 && from.is_none() => (depth, from) = (1, Some(at + 1)),
            '(' | '[' if depth > 0 => depth += 1,
            ')' | ']' if depth > 1 => depth -= 1,
            ')' if depth == 1 => {
                found.extend(from.map(|from| &signature[from..at]));
                break;
            }
            ',' if depth == 1 && angles == 0 => {
                found.extend(from.replace(at + 1).map(|from| &signature[from..at]));
            }
            '{' | ';' if depth == 0 => break,
            _ => {}
        }
        before = letter;
    }
    found
}

#[test]
fn no_parameters_hide_in_a_tuple() {
    for (file, text) in rust_files("src") {
        let code = Source::read(&text).code;
        let instead = "name the parameters one by one, or give them a type";
        assert_eq!(taking_tuples(&code), Vec::<&str>::new(), "src/{}: {instead}", file.display());
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
    for hides in [
        "fn f(\n    (tenant, rule): (&Tenant, &Rule),\n) {}",
        "fn f(pair: (u8, u8)) {}",
        "const fn f<T: Fn((u8, u8)) -> u8>(&self, of: T, at: (usize, usize)) -> u8 {}",
        "pub async fn f<'a>(mut opened: (Arc<dyn Store>, u64), then: u8);",
    ] {
        assert_eq!(taking_tuples(hides), ["f"], "{hides}");
    }
    for fine in [
        "fn f(tenant: &Tenant) { let (a, b): (u8, u8) = c; }",
        "fn f<T: Fn((u8, u8))>(one: impl Fn((u8, u8)), of: T, pairs: &[(u8, u8)]) -> (u8, u8) {}",
        "struct S { f: fn((u8, u8)), pair: (u8, u8) }",
        "fn f(nothing: ()) {}",
    ] {
        assert_eq!(taking_tuples(fine), Vec::<&str>::new(), "{fine}");
    }
}
