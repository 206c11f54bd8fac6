//! A kind of channel is known in few places: its own files and the two lists of modules.

use std::path::Path;

use scorewatch::channel::ChannelKind;

use super::{is_test, rust_files, source::Source};

/// Most files that a new kind touches.
const FILES_MAX: usize = 5;

/// Files that name a kind for a reason of their own. The list may only shrink.
const EXCUSED: [(&str, &str, &str); 10] = [
    ("channel/discord.rs", "slack", "below a path of its own, Discord takes messages that are written for Slack"),
    ("query/channels.rs", "webhook", "only a webhook has signing keys, whose public halves a command shows"),
    ("cli/demo/folder.rs", "teams", "the demonstration has a channel of it"),
    ("cli/demo/folder.rs", "slack", "the demonstration has a channel of it"),
    ("cli/demo/folder.rs", "webhook", "the demonstration has a channel of it"),
    ("config/examples.rs", "teams", "the example of a type that problems give"),
    ("config/spelling.rs", "email", "what people call mail elsewhere"),
    ("config/spelling.rs", "webhook", "what people call the address of a channel"),
    ("oidc/claims.rs", "email", "a claim of OpenID Connect"),
    ("oidc/settings.rs", "email", "a scope of OpenID Connect"),
];

/// Whether a file's code names a kind: its type, its module, or the word under `type:`.
fn names(source: &Source, word: &str) -> bool {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    let (kind, module) = (word.split('-').map(capital).collect::<String>(), word.replace('-', "_"));
    let identifiers = source.code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let named = identifiers.clone().any(|identifier| identifier == kind);
    let used = [format!("{module}::"), format!("mod {module};")].iter().any(|used| {
        source.code.match_indices(used.as_str()).any(|(at, _)| {
            let before = source.code[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        })
    });
    named || used || source.strings.lines().any(|text| text == word)
}

#[test]
fn a_new_kind_of_channel_touches_at_most_five_files() {
    let sources: Vec<_> = rust_files("src")
        .into_iter()
        .filter(|(file, _)| !is_test(file) && !file.starts_with("simulation"))
        .map(|(file, text)| (file, Source::read(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default())))
        .collect();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut unused = EXCUSED.to_vec();
    for word in ChannelKind::WORDS {
        let module = word.replace('-', "_");
        let mut files = Vec::new();
        for (file, _) in sources.iter().filter(|(_, source)| names(source, word)) {
            let excuse = |(excused, of, _): &(&str, &str, &str)| Path::new(excused) == file && of == word;
            if EXCUSED.iter().any(excuse) {
                unused.retain(|one| !excuse(one));
            } else {
                files.push(file.display().to_string());
            }
        }
        let mut expected = ["channel/mod.rs", "config/channel/mod.rs"].map(str::to_owned).to_vec();
        expected.extend([format!("channel/{module}.rs"), format!("config/channel/{module}.rs")]);
        expected.sort();
        assert_eq!(files, expected, "the files that know `{word}`");
        let has_template = templates.join(format!("{word}.hbs")).exists();
        assert!(files.len() + usize::from(has_template) <= FILES_MAX, "`{word}`");
    }
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}
