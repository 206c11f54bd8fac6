//! The commands as the binary itself describes them, and every command line that the pages show.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::Write,
    process::{Command, Output},
};

use super::{
    generated,
    page::{Page, pages},
};

/// The languages of blocks that hold command lines.
const SHELLS: [&str; 3] = ["sh", "console", "shell"];

/// Runs the binary on its own: what the environment says must not show in its help.
fn scorewatch(arguments: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorewatch"));
    command.args(arguments).env_clear().output().unwrap()
}

fn help(path: &[String]) -> String {
    let mut arguments = path.to_vec();
    arguments.push("--help".to_owned());
    let output = scorewatch(&arguments);
    assert!(output.status.success(), "{path:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names under `Commands:`; `help` itself is none that has to be described.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()));
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command with its help, each parent before its children.
fn reference() -> String {
    let mut page = String::new();
    let mut waiting = VecDeque::from([Vec::<String>::new()]);
    while let Some(path) = waiting.pop_front() {
        let text = help(&path);
        for name in subcommands(&text).into_iter().rev() {
            waiting.push_front(path.iter().cloned().chain([name]).collect());
        }
        let (level, name) =
            ("#".repeat(path.len().min(2) + 2), [vec!["scorewatch".to_owned()], path].concat().join(" "));
        let text: Vec<_> = text.lines().map(str::trim_end).collect();
        // Writing to a `String` can't fail.
        let _ = write!(page, "{level} `{name}`\n\n```text\n{}\n```\n\n", text.join("\n").trim_end());
    }
    page
}

#[test]
fn the_reference_of_commands_is_what_the_commands_say() {
    generated::expect("docs/reference/commands.md", &reference());
}

/// The words of a command line up to its comment, as a shell takes them apart; no variables, no globs.
pub(super) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '>' | '|' | '&' | ';') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// `NAME`, `FILE…` and the like stand for something that the reader puts there.
fn is_placeholder(word: &str) -> bool {
    let word = word.trim_end_matches('…');
    word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

/// The arguments of a command line of Scorewatch; `None`: it is another program's.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line.trim_start().trim_start_matches("$ "));
    // Every argument takes a number where it takes a text.
    let filled = |word: &String| if is_placeholder(word) { "1".to_owned() } else { word.clone() };
    Some(run_by(&words)?.iter().map(filled).collect())
}

/// What a command line gives to Scorewatch, which another program may run: as another user, in a container, in a Pod.
fn run_by(words: &[String]) -> Option<&[String]> {
    // `SCOREWATCH_LOG=debug scorewatch run`
    let begin = words.iter().position(|word| !word.contains('='))?;
    let (program, rest) = words[begin..].split_first()?;
    let after = |count: usize| run_by(rest.get(count..)?);
    let is_option = |word: &&String| word.starts_with('-');
    match program.as_str() {
        "scorewatch" | "./scorewatch" | "/usr/local/bin/scorewatch" => Some(rest),
        "sudo" if rest.first()? == "-u" => after(2),
        "sudo" => after(0),
        "systemd-run" => after(rest.iter().take_while(is_option).count()),
        "kubectl" => after(rest.iter().position(|word| word == "--")? + 1),
        "podman" | "docker" if rest.first()? == "exec" => after(2 + rest.iter().skip(1).take_while(is_option).count()),
        "podman" | "docker" if rest.first()? == "run" => {
            let image = rest.iter().position(|word| word.starts_with("scorewatch:"))?;
            rest.get(image + 1..).filter(|arguments| !arguments.is_empty())
        }
        _ => None,
    }
}

#[test]
fn a_command_line_is_found_behind_the_program_that_runs_it() {
    for (line, expected) in [
        ("scorewatch check -v", Some("check -v")),
        ("$ SCOREWATCH_LOG=debug scorewatch run", Some("run")),
        ("sudo scorewatch init --target systemd", Some("init --target systemd")),
        ("sudo -u scorewatch scorewatch alerts list", Some("alerts list")),
        ("sudo systemd-run --pipe --property=User=scorewatch scorewatch once", Some("once")),
        (
            "kubectl --namespace scorewatch exec statefulset/scorewatch -- /usr/local/bin/scorewatch check",
            Some("check"),
        ),
        ("podman exec scorewatch scorewatch health", Some("health")),
        ("podman exec -it scorewatch scorewatch account list", Some("account list")),
        ("podman run --rm --read-only scorewatch:0.1.0 demo", Some("demo")),
        ("podman run -d --name scorewatch scorewatch:0.1.0", None),
        ("sudo systemctl enable --now scorewatch", None),
        ("helm install scorewatch deploy/chart", None),
    ] {
        let expected = expected.map(|words| words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(arguments(line), expected, "{line}");
    }
}

/// Every command line that a page shows, with its line.
fn command_lines(page: &Page) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for block in page.blocks().iter().filter(|block| SHELLS.contains(&block.language)) {
        let joined = block.text.replace("\\\n", " ");
        found.extend(joined.lines().filter_map(|line| Some((block.line, arguments(line)?))));
    }
    let inline = page.inline_code().into_iter();
    found.extend(inline.filter_map(|(line, span)| Some((line, arguments(&span)?))));
    found
}

/// With `--help` at its end, a command line is parsed and nothing is done: what is unknown is refused before help is given.
fn refusal(mut line: Vec<String>) -> Option<String> {
    line.push("--help".to_owned());
    let output = scorewatch(&line);
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[test]
fn every_command_line_that_is_shown_parses() {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for page in pages() {
        for (line, arguments) in command_lines(&page) {
            if seen.insert(arguments.clone()) {
                let shown = arguments.join(" ");
                faults.extend(refusal(arguments).map(|why| format!("{}:{line}: scorewatch {shown}\n{why}", page.path)));
            }
        }
    }
    assert!(seen.len() > 40, "the command lines were not found");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n\n"));
}

#[test]
fn a_wrong_command_line_is_found() {
    let text = "```sh\nscorewatch check --onlin    # x\n$ scorewatch alerts lists\nscorewatch run\ncargo run --release -- demo\n```\n\
                `scorewatch silences show ID` `scorewatch silences show x`\n";
    let page = Page { path: String::new(), text: text.to_owned() };
    let refused: Vec<_> = command_lines(&page).into_iter().map(|(_, line)| refusal(line).is_some()).collect();
    assert_eq!(refused, [true, true, false, false, true]);
}
