//! A digest in words: one line for each of its items, in paragraphs that fit the texts of a message.

use super::words;
use crate::notify::{Notification, notification::DigestItem};

/// Most characters of one paragraph, as [`weight`] counts them. A section of a Slack message has room for 3,000.
const PARAGRAPH_MAX: usize = 2_800;

/// One line for each item, then how many more there are.
pub(super) fn lines(items: &[DigestItem], left_out: usize) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().map(|item| words::line(&Notification::from(item.clone()))).collect();
    if left_out > 0 {
        lines.push(format!("… and {left_out} more"));
    }
    lines
}

/// The lines, in order, together as far as they fit one text.
pub(super) fn paragraphs(lines: &[String]) -> Vec<Vec<String>> {
    let mut paragraphs: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for line in lines {
        let weight = weight(line) + 1;
        match paragraphs.last_mut() {
            Some(paragraph) if weight <= room => paragraph.push(line.clone()),
            _ => {
                room = PARAGRAPH_MAX;
                paragraphs.push(vec![line.clone()]);
            }
        }
        room = room.saturating_sub(weight);
    }
    paragraphs
}

/// How many characters a text has at most once a receiver's escapes are in it.
pub(super) fn weight(text: &str) -> usize {
    text.chars()
        .map(|letter| match letter {
            '&' | '<' | '>' => 5,
            _ if letter.is_ascii_punctuation() => 2,
            _ => letter.len_utf16(),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_keep_every_line_in_order_and_their_size() {
        let lines: Vec<String> = (1..=50).map(|number| format!("{number} & {}", "x".repeat(number * 7))).collect();
        let paragraphs = paragraphs(&lines);
        assert_eq!(paragraphs.concat(), lines);
        assert!(paragraphs.len() > 1);
        for paragraph in paragraphs {
            assert!(weight(&paragraph.join("\n")) <= PARAGRAPH_MAX);
        }
    }
}
