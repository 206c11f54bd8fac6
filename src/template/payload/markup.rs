//! How the chat applications read text, and how a value in it is kept from being read as anything but text.

use super::Refusal;
use crate::template::text::{INVISIBLE, Part, parts};

/// One application's language for text.
pub(super) struct Markup {
    /// Signs that a backslash makes ordinary.
    escaped: &'static str,
    /// Signs that mean something only together with what follows, and are kept apart from it.
    parted: &'static str,
    /// Signs for which there is no escape, with their look-alikes.
    replaced: &'static [(char, char)],
    /// Whether a heading, list or quotation begins a line.
    begins_blocks: bool,
    /// What stands before and after the target of a link that the template's author writes.
    link: Option<(&'static str, &'static [&'static str])>,
}

/// Discord's Markdown ("Message Formatting", "Markdown Text 101").
pub(super) const DISCORD: Markup =
    Markup { escaped: "\\*_~`|[]<", parted: "@", replaced: &[], begins_blocks: true, link: Some(("](", &[")"])) };
/// Mattermost's Markdown ("Format messages"). Its server turns Slack's `<!channel>` into a mention before it reads Markdown.
pub(super) const MATTERMOST: Markup = Markup {
    escaped: "\\*_`|[]",
    parted: "@<#$&",
    replaced: &[('~', '∼')],
    begins_blocks: true,
    link: Some(("](", &[")"])),
};
/// The text of a Google Chat message ("Format messages"), which has no escape.
pub(super) const GOOGLE_TEXT: Markup = Markup {
    escaped: "",
    parted: "@<",
    replaced: &[('*', '∗'), ('_', '＿'), ('~', '∼'), ('`', '‵')],
    begins_blocks: true,
    link: Some(("<", &["|", ">"])),
};
/// The texts of a Google Chat card: a few elements of HTML ("Format text in cards").
pub(super) const GOOGLE_CARD: Markup =
    Markup { escaped: "", parted: "<&", replaced: &[], begins_blocks: false, link: None };
/// A text that the receiver shows as it is.
pub(super) const NONE: Markup = Markup { escaped: "", parted: "@<~#", replaced: &[], begins_blocks: false, link: None };

/// Escapes the values in a text.
pub(super) fn escape(whole: &str, markup: &Markup) -> Result<String, Refusal> {
    let parts = parts(whole);
    let mut escaped = String::with_capacity(whole.len());
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Own(own) => escaped.push_str(own),
            Part::Value(value) if markup.is_target(&escaped, parts.get(index + 1)) => escaped.push_str(&target(value)?),
            Part::Value(value) => push(&mut escaped, value, markup),
        }
    }
    Ok(escaped)
}

impl Markup {
    /// Whether a value that stands there is where a link leads. Values can't write what stands around it.
    fn is_target(&self, before: &str, after: Option<&Part<'_>>) -> bool {
        let (Some((opening, closings)), Some(Part::Own(after))) = (self.link, after) else { return false };
        before.ends_with(opening) && closings.iter().any(|closing| after.starts_with(closing))
    }
}

/// Where a link leads: `https` only, with nothing in it that could end it.
fn target(url: &str) -> Result<String, Refusal> {
    let parsed = url::Url::parse(url).ok().filter(|parsed| parsed.scheme() == "https");
    let Some(parsed) = parsed else { return Refusal::invalid("a link must begin with `https://`") };
    let is_risky = |letter: char| "()<>[]|\\*`".contains(letter);
    let kept = |letter: char| if is_risky(letter) { format!("%{:02X}", u32::from(letter)) } else { letter.into() };
    Ok(parsed.as_str().chars().map(kept).collect())
}

fn push(escaped: &mut String, value: &str, markup: &Markup) {
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        if markup.begins_blocks && matches!(letter, '#' | '-' | '+' | '>' | '=' | ' ') && begins_line(escaped) {
            escaped.push(INVISIBLE);
        }
        if markup.escaped.contains(letter) {
            escaped.extend(['\\', letter]);
        } else if let Some((_, look_alike)) = markup.replaced.iter().find(|(sign, _)| *sign == letter) {
            escaped.push(*look_alike);
        } else {
            escaped.push(letter);
            if markup.parted.contains(letter) || makes_link(escaped, letter, letters.peek().copied()) {
                escaped.push(INVISIBLE);
            }
        }
    }
}

fn begins_line(text: &str) -> bool {
    text.rsplit('\n').next().is_none_or(|line| line.trim().is_empty())
}

/// Whether what has been written up to `letter` would become a link, or `:word:` a picture, with what follows.
fn makes_link(written: &str, letter: char, next: Option<char>) -> bool {
    match letter {
        ':' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '+' | '-' | '_')),
        '.' => {
            written.len().checked_sub(4).is_some_and(|from| written.as_bytes()[from..].eq_ignore_ascii_case(b"www."))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::text::mark;

    fn shown(markup: &Markup, before: &str, value: &str, after: &str) -> Option<String> {
        escape(&format!("{before}{}{after}", mark(value)), markup).ok().map(|text| text.replace(INVISIBLE, "·"))
    }

    #[test]
    fn values_are_read_as_text() {
        for (markup, value, expected) in [
            (&DISCORD, "a_b *c* ~~d~~ `e` ||f|| \\", "a\\_b \\*c\\* \\~\\~d\\~\\~ \\`e\\` \\|\\|f\\|\\| \\\\"),
            (
                &DISCORD,
                "@everyone <@1> <:x:2> [a](https://e.example)",
                "@·everyone \\<@·1> \\<:·x:2> \\[a\\](https:·//e.example)",
            ),
            (&DISCORD, "# a", "·# a"),
            (&DISCORD, "www.e.example a@b", "www.·e.example a@·b"),
            (&MATTERMOST, "<!channel> @all ~town #tag :cat: $x$", "<·!channel> @·all ∼town #·tag :·cat: $·x$·"),
            (&MATTERMOST, "    code", "·    code"),
            (&MATTERMOST, "at 09:15, 10:00 UTC", "at 09:15, 10:00 UTC"),
            (
                &GOOGLE_TEXT,
                "*a* _b_ <users/all> <https://e.example|x>",
                "∗a∗ ＿b＿ <·users/all> <·https:·//e.example|x>",
            ),
            (&GOOGLE_CARD, "<a href='x'> R&D &lt;", "<·a href='x'> R&·D &·lt;"),
            (&NONE, "#a_b @c", "#·a_b @·c"),
        ] {
            assert_eq!(shown(markup, "", value, "").as_deref(), Some(expected));
        }
        assert_eq!(shown(&DISCORD, "x\n", "- y", "").as_deref(), Some("x\n·- y"));
        assert_eq!(shown(&DISCORD, "**x** ", "- y", "").as_deref(), Some("**x** - y"));
    }

    #[test]
    fn a_value_may_be_where_an_authors_link_leads_and_nothing_else() {
        for (markup, before, after) in [(&DISCORD, "[x](", ")"), (&MATTERMOST, "[x](", ")"), (&GOOGLE_TEXT, "<", "|x>")]
        {
            let link = shown(markup, before, "https://a.example/b_c?d=(e)|<f>", after);
            assert_eq!(link, Some(format!("{before}https://a.example/b_c?d=%28e%29%7C%3Cf%3E{after}")));
            assert_eq!(shown(markup, before, "javascript:alert(1)", after), None);
        }
        let split = format!("[x{}{}", mark("]("), mark("https://a.example)"));
        assert!(!escape(&split, &DISCORD).unwrap().contains("https://"));
    }
}
