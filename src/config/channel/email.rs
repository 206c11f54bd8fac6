//! The keys of a channel that sends mail.

use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Asked, Reader};
use crate::{
    channel::{ChannelKind, Email},
    config::{
        draft::Draft,
        field::{Field, Word},
        raw::{Own, RawSecret, form, raw},
        scope::Scope,
        secrets,
        words::one_of,
    },
    domain::characters::refuse_hidden,
    egress::{EgressError, MailServer, Private, mail::Tls},
    secret::SecretReference,
};

/// Most recipients of one channel; servers must take a hundred (RFC 5321, section 4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;
/// How an address is written.
const ADDRESS: &str = "Scorewatch <scores@mssp.example>";

/// What may stand under `tls:`, and whether it lets mail go in the open.
const TLS: [(&str, bool); 2] = [("required", false), ("none", true)];

raw! {
    /// What such a channel has in addition to the keys of every channel.
    #[schemars(extend("required" = ["server", "from", "to"], "dependentRequired" = form::name_and_password()))]
    struct RawEmail {
        /// The server that takes the mail: `smtps://smtp.example`, or `smtp://smtp.example` with STARTTLS.
        #[schemars(with = "form::MailServerUrl")]
        server: Word,
        /// `none` for a server inside your network that knows no TLS.
        #[schemars(with = "TlsWord")]
        tls: Word,
        /// From whom: `Scorewatch <scores@mssp.example>`.
        #[schemars(with = "form::Recipient")]
        from: Word,
        /// The addresses that mails are sent to.
        #[schemars(with = "Vec<form::Recipient>", extend("minItems" = 1))]
        to: Vec<Field<Word>>,
        /// The name by which to sign in.
        username: Word,
        /// The password for it.
        password: RawSecret,
    }
}

form::forms! {
    TlsWord: form::words(&TLS.map(|(word, _)| word));
}

pub(super) const READER: Reader = Reader {
    word: Email::WORD,
    has_template: true,
    keys: RawEmail::KEYS,
    refused: &[("url", "mail goes to a server, not to a URL", "write `server: smtps://smtp.example`")],
    asked: &[
        Asked::text(
            "server",
            "Mail server",
            "It takes the mail: `smtps://HOST` for TLS, or `smtp://HOST` for STARTTLS. Add `:PORT` if it is not the usual one.",
        ),
        Asked::text("from", "Sender", "The address that the mail comes from."),
        Asked {
            answer: Answer::List,
            ..Asked::text("to", "Recipients", "One address or several, separated by commas.")
        },
        Asked::text("username", "User name on the mail server", "Leave it empty if the server needs no password.")
            .optional(),
        Asked {
            answer: Answer::Secret,
            needs: Some("username"),
            ..Asked::text("password", "Password on the mail server", "It is sent over TLS only.")
        },
        Asked::NETWORK,
    ],
    schema: RawEmail::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawEmail = own.read();
    let plain = one_of(raw.tls, &at.key("tls"), &TLS, draft).unwrap_or(false);
    let server = server(raw.server, &at.key("server"), plain, private, draft);
    let from = draft.require(raw.from, &at.key("from"), ADDRESS);
    let from = from.and_then(|Word(text)| mailbox(&text, &at.key("from"), draft));
    let to = recipients(raw.to, &at.key("to"), draft);
    let sign_in = sign_in(raw.username, raw.password, at, draft);
    if let (Some(server), Ok(Some(_))) = (&server, &sign_in)
        && server.tls() == Tls::Absent
    {
        draft.error(
            &at.key("password"),
            "a password is sent over TLS only",
            "delete `tls: none`, or `username` and `password`",
        );
        return None;
    }
    Some(ChannelKind::Email(Email { server: server?, from: from?, to: to?, sign_in: sign_in.ok()? }))
}

fn server(raw: Field<Word>, at: &Scope<'_>, plain: bool, private: &Private, draft: &mut Draft) -> Option<MailServer> {
    let Word(text) = draft.require(raw, at, "smtps://smtp.example")?;
    // The text is not shown: there may be a password in it.
    let server = match MailServer::parse(&text, plain) {
        Ok(server) => server,
        Err(what) => {
            let instead = "write `smtps://smtp.example`, or `smtp://smtp.example` for STARTTLS";
            draft.error(at, format!("this is not a mail server: {what}"), instead);
            return None;
        }
    };
    if let Err(refused) = server.vet(private) {
        let what = match refused {
            EgressError::NotAllowed(what) => what,
            other => other.to_string(),
        };
        let instead = "use port 465 with `smtps:` or 587 with `smtp:`, or list its network under `allow_private`";
        draft.error(at, format!("no mail may go there: {what}"), instead);
        return None;
    }
    Some(server)
}

fn recipients(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, draft: &mut Draft) -> Option<Vec<Mailbox>> {
    if !raw.is_written() {
        draft.error(at, "`to` is missing", "write `to: [soc@mssp.example]`");
        return None;
    }
    let Field::Good(list) = &raw else {
        draft.take(raw, at);
        return None;
    };
    let count = list.len();
    if count == 0 {
        draft.error(at, "nobody would get this mail", "write `to: [soc@mssp.example]`");
        return None;
    }
    if count > RECIPIENTS_MAX {
        let what = format!("there are {count} recipients, more than {RECIPIENTS_MAX}");
        draft.error(at, what, "write to a distribution list");
    }
    let read: Vec<Mailbox> = draft
        .items(raw, at)
        .into_iter()
        .filter_map(|(index, Word(text))| mailbox(&text, &at.item(index), draft))
        .collect();
    (read.len() == count && count <= RECIPIENTS_MAX).then_some(read)
}

/// An address, with or without a name before it.
fn mailbox(text: &str, at: &Scope<'_>, draft: &mut Draft) -> Option<Mailbox> {
    if let Err(complaint) = refuse_hidden(text) {
        draft.complain(at, complaint);
        return None;
    }
    let read = text.parse::<Mailbox>().ok();
    let Some(mailbox) = read else {
        draft.error(at, format!("`{text}` is not a mail address"), format!("write one like `{ADDRESS}`"));
        return None;
    };
    if !mailbox.email.to_string().is_ascii() {
        let what = format!("`{}` has letters that not every server takes", mailbox.email);
        draft.error(at, what, "write its domain as `xn--…`, and use an address in plain letters");
        return None;
    }
    Some(mailbox)
}

/// Name and password, or neither; an error if only one of them is there or readable.
fn sign_in(
    username: Field<Word>,
    password: Field<RawSecret>,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Result<Option<(String, SecretReference)>, ()> {
    let (named, proven) = (username.is_written(), password.is_written());
    if named != proven {
        let (there, missing) = if named { ("username", "password") } else { ("password", "username") };
        let example = if named { "password: { file: secrets/smtp }" } else { "username: scores@mssp.example" };
        draft.error(&at.key(there), format!("`{there}` is there without `{missing}`"), format!("write `{example}`"));
    }
    let username = draft.take(username, &at.key("username")).map(|Word(name)| name);
    let here = at.key("password");
    let password = draft.take(password, &here).and_then(|secret| secrets::reference(secret, &here, draft));
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some((username, password))),
        (None, None) if !named && !proven => Ok(None),
        _ => Err(()),
    }
}
