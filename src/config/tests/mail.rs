//! A channel that sends mail: what it means as written, and every mistake at its place.

use super::{MAIN, RULES, TENANT, read};
use crate::channel::ChannelKind;

const MAIL: &str = "  mail: { type: email, server: smtps://smtp.example, from: S <s@mssp.example>, to: [soc@mssp.example], \
                    username: scores, password: { file: secret } }\noperator:";

fn main() -> String {
    MAIN.replace("operator:", MAIL)
}

/// What is replaced by what, and what is reported.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "server: smtps://smtp.example, ",
        "",
        "12:9: error: channels.mail.server: `server` is missing; write `server: smtps",
    ),
    ("smtps://smtp.example", "smtp.example", "channels.mail.server: this is not a mail server"),
    ("smtps://smtp", "https://smtp", "it does not begin with `smtps://` or `smtp://`; write `smtps://smtp.example`"),
    ("smtps://smtp", "smtps://u:s3cr3t@smtp", "it contains a user name or password"),
    ("smtps://smtp.example", "smtps://smtp.example:1025", "public mail servers do not listen on this port"),
    ("smtps://smtp.example", "smtp://smtp.example:465", "on this port, TLS begins at once, for which `smtps:` stands"),
    ("smtps://smtp.example", "smtps://smtp.example:587", "with STARTTLS, for which `smtp:` stands"),
    ("smtps://smtp.example", "smtp://smtp.example, tls: none", "mail without TLS may go to private receivers only"),
    ("smtps://smtp.example", "smtps://smtp.example, tls: none", "`smtps:` requires TLS"),
    ("smtps://smtp.example", "smtps://smtp.example, tls: off", "mail.tls: `off` is not known here; use one of"),
    (
        "smtps://smtp.example",
        "smtp://10.0.0.5, tls: none, allow_private: [10.0.0.0/8]",
        "channels.mail.password: a password is sent over TLS only",
    ),
    ("smtps://smtp.example", "smtps://10.0.0.5", "channels.mail.server: no mail may go there: not a public address"),
    ("from: S <s@mssp.example>, ", "", "`from` is missing; write `from: Scorewatch"),
    ("S <s@mssp.example>", "nobody", "channels.mail.from: `nobody` is not a mail address; write one like"),
    (
        "S <s@mssp.example>",
        "\"x\\r\\nBcc: e <s@mssp.example>\"",
        "channels.mail.from: character 2 is U+000D (carriage return)",
    ),
    (", to: [soc@mssp.example]", "", "`to` is missing; write `to: [soc@mssp.example]`"),
    ("to: [soc@mssp.example]", "to: []", "channels.mail.to: nobody would get this mail"),
    ("to: [soc@mssp.example]", "to: soc@mssp.example", "channels.mail.to: expected a list, found text"),
    ("to: [soc@mssp.example]", "to: [soc@mssp.example, soc]", "channels.mail.to[1]: `soc` is not a mail address"),
    ("to: [soc@mssp.example]", "to: [soc@bücher.example]", "write its domain as `xn--…`"),
    ("password: { file: secret }", "password: s3cr3t", "channels.mail.password: this is the secret itself"),
    (", password: { file: secret }", "", "`username` is there without `password`"),
    ("username: scores, ", "", "`password` is there without `username`"),
    ("password: {", "url: https://x.example/s3cr3t, password: {", "mail goes to a server, not to a URL"),
    ("type: teams,", "type: teams, to: [soc@mssp.example],", "only a channel of type `email` has `to`"),
];

#[test]
fn every_mistake_is_reported_at_its_place() {
    let missed: Vec<String> = MISTAKES
        .iter()
        .filter_map(|(from, to, what)| {
            assert!(main().contains(from), "{from}");
            let (loaded, text) = read(&main().replacen(from, to, 1), TENANT, RULES);
            let is_reported = loaded.config.is_none() && text.contains(what) && !text.contains("s3cr3t");
            (!is_reported).then(|| format!("`{what}` is not reported:\n{text}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_is_written_is_what_is_meant() {
    for (written, server) in [
        ("smtps://smtp.example", "smtps://smtp.example:465"),
        ("smtp://smtp.example", "smtp://smtp.example:587"),
        ("smtp://relay.example:1025, allow_private: [10.0.0.0/8]", "smtp://relay.example:1025"),
    ] {
        let (loaded, text) = read(&main().replace("smtps://smtp.example", written), TENANT, RULES);
        let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
        let ChannelKind::Email(email) = &config.channels["mail"].kind else { panic!("no mail") };
        assert_eq!(email.server.to_string(), server);
        assert_eq!((email.from.to_string(), email.to.len()), ("S <s@mssp.example>".to_owned(), 1));
        assert_eq!(email.sign_in.as_ref().map(|(name, _)| name.as_str()), Some("scores"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
    let plain = main().replace("smtps://smtp.example", "smtp://10.0.0.5, tls: none, allow_private: [10.0.0.0/8]");
    let plain = plain.replace(", username: scores, password: { file: secret }", "");
    let (loaded, text) = read(&plain, TENANT, RULES);
    assert!(loaded.config.is_some(), "{text}");
}
