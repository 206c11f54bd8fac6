//! How values are kept from being read as anything but text by chat applications.

use crate::{
    channel::{
        discord::MARKUP as DISCORD,
        google_chat::{CARD_MARKUP as GOOGLE_CARD, TEXT_MARKUP as GOOGLE_TEXT},
        mattermost::MARKUP as MATTERMOST,
    },
    template::{
        markup::{Markup, NONE, escape},
        text::{INVISIBLE, mark},
    },
};

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
        (&GOOGLE_TEXT, "*a* _b_ <users/all> <https://e.example|x>", "∗a∗ ＿b＿ <·users/all> <·https:·//e.example|x>"),
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
    for (markup, before, after) in [(&DISCORD, "[x](", ")"), (&MATTERMOST, "[x](", ")"), (&GOOGLE_TEXT, "<", "|x>")] {
        let link = shown(markup, before, "https://a.example/b_c?d=(e)|<f>", after);
        assert_eq!(link, Some(format!("{before}https://a.example/b_c?d=%28e%29%7C%3Cf%3E{after}")));
        assert_eq!(shown(markup, before, "javascript:alert(1)", after), None);
    }
    let split = format!("[x{}{}", mark("]("), mark("https://a.example)"));
    assert!(!escape(&split, &DISCORD).unwrap().contains("https://"));
}
