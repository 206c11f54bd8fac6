//! What can be read of a file that is not valid YAML as a whole: each part that stands on its own, in its place.
//!
//! Only parts are dropped that mean nothing to the others: a top-level key, an item of a list, a channel. A rule or a tenant of which
//! half could be read would be another one.

use std::{collections::HashMap, ops::Range};

use super::yaml;

/// The keys below which each child stands on its own.
const LISTS: [&str; 3] = ["rules:", "tenants:", "channels:"];
/// The keys by which a file is known whose top-level keys stand on their own: the main file or a file of rules, not one tenant.
const OF_INDEPENDENT_PARTS: [&str; 4] = ["store:", "rules:", "tenants:", "channels:"];

/// The text without the parts that can't be read; every other line keeps its number. `None`: nothing could be kept.
pub(super) fn salvage(text: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(first) = lines.iter().position(|line| is_content(line))
        && lines[first].trim_end() == "---"
    {
        lines[first] = "";
    }
    let all = 0..lines.len();
    let is_list = all.clone().find(|line| is_content(lines[*line])).is_some_and(|line| is_item(lines[line]));
    let has_parts = lines.iter().any(|line| OF_INDEPENDENT_PARTS.iter().any(|key| line.starts_with(key)));
    if !is_list && !has_parts {
        return None;
    }
    drop_unreadable(&mut lines, all, true);
    let kept = lines.join("\n");
    lines.iter().any(|line| is_content(line)).then_some(kept)
}

/// Empties the lines of every part that can't be read.
fn drop_unreadable(lines: &mut [&str], within: Range<usize>, is_top: bool) {
    let parts = parts(lines, within);
    let mut firsts: HashMap<String, usize> = HashMap::new();
    for part in &parts {
        if let Some(key) = key_of(lines[part.start]) {
            *firsts.entry(key.to_owned()).or_default() += 1;
        }
    }
    for part in parts {
        let is_twice = key_of(lines[part.start]).is_some_and(|key| firsts.get(key).is_some_and(|count| *count > 1));
        if !is_twice && is_readable(lines, part.clone()) {
            continue;
        }
        if !is_twice && is_top && LISTS.contains(&without_comment(lines[part.start])) {
            drop_unreadable(lines, part.start + 1..part.end, false);
            if lines[part.start + 1..part.end].iter().any(|line| is_content(line)) && is_readable(lines, part.clone()) {
                continue;
            }
        }
        lines[part].fill("");
    }
}

/// The parts of a mapping or list, each from the line that begins it to the next.
fn parts(lines: &[&str], within: Range<usize>) -> Vec<Range<usize>> {
    let content = || within.clone().filter(|line| is_content(lines[*line]));
    let Some(least) = content().map(|line| indentation(lines[line])).min() else { return Vec::new() };
    // The items of a list may be as little indented as the key that they belong to.
    let is_list = content().next().is_some_and(|line| is_item(lines[line]));
    let begins = |line: &usize| indentation(lines[*line]) == least && is_item(lines[*line]) == is_list;
    let starts: Vec<usize> = content().filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([within.end]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

fn is_readable(lines: &[&str], part: Range<usize>) -> bool {
    // A word alone is a key that is half written.
    let is_part = |document: &yaml::Document| document.value.is_mapping() || document.value.is_sequence();
    yaml::read(&lines[part].join("\n")).is_ok_and(|read| read.as_ref().is_some_and(is_part))
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn is_item(line: &str) -> bool {
    let line = line.trim();
    line == "-" || line.starts_with("- ")
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap_or_default().trim()
}

/// The key that begins a part of a mapping.
fn key_of(line: &str) -> Option<&str> {
    if is_item(line) { None } else { Some(line.split_once(':')?.0.trim().trim_matches(['"', '\''])) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_parts_are_dropped_and_lines_keep_their_numbers() {
        for (text, kept) in [
            // A top-level key that is half written.
            ("store: sqlite://a.db\ntimezone: \"Europe\nlisten: 1\n", Some("store: sqlite://a.db\n\nlisten: 1")),
            // One rule of several; the others keep their lines.
            (
                "rules:\n  - name: a\n    when: { below: 3\n  - name: b\n    when: { below: 4 }\n",
                Some("rules:\n\n\n  - name: b\n    when: { below: 4 }"),
            ),
            // Items that are no more indented than their key.
            ("rules:\n- name: a\n  x: [\n- name: b\n", Some("rules:\n\n\n- name: b")),
            // A channel; what is inside of one is never dropped alone.
            (
                "---\nstore: a\nchannels: # ours\n  soc:\n    type: slack\n    url: {{\n  b: { type: slack }\n",
                Some("\nstore: a\nchannels: # ours\n\n\n\n  b: { type: slack }"),
            ),
            // A list of tenants.
            ("- id: a\n  name: \"A\n- id: b\n", Some("\n\n- id: b")),
            // A key that stands there twice is not decided upon.
            ("store: a\nspread: 1m\nspread: 2m\n", Some("store: a\n\n")),
            ("store: a\nstore: b\nlisten: 1\n", Some("\n\nlisten: 1")),
            // A key of which half is written.
            ("store: a\nschedul\nlisten: 1\n", Some("store: a\n\nlisten: 1")),
            ("channels:\n  so\n  b: { type: slack }\n", Some("channels:\n\n  b: { type: slack }")),
            // Of one tenant, half would be another tenant.
            ("id: a\nname: \"A\nlabels: { tier: gold }\n", None),
            ("store: \"a", None),
            ("", None),
        ] {
            assert_eq!(salvage(text).as_deref(), kept, "{text}");
        }
    }
}
