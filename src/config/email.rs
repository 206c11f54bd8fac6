//! What is particular to a channel that sends mail: written → meant.

use lettre::message::Mailbox;

use super::{
    field::{Field, Word},
    raw::RawSecret,
    scope::{Problems, Scope},
    secrets,
    words::one_of,
};
use crate::{
    channel::email::EmailSettings,
    domain::characters::refuse_hidden,
    egress::{EgressError, MailServer, Private, mail::Tls},
    secret::SecretReference,
};

/// Most recipients of one channel; servers must take a hundred (RFC 5321, section 4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;
/// How an address is written.
const ADDRESS: &str = "Scorewatch <scores@mssp.example>";

/// The keys that only such a channel has.
pub(super) struct RawEmail {
    pub(super) server: Field<Word>,
    pub(super) tls: Field<Word>,
    pub(super) from: Field<Word>,
    pub(super) to: Field<Vec<Field<Word>>>,
    pub(super) username: Field<Word>,
    pub(super) password: Field<RawSecret>,
}

impl RawEmail {
    /// Complains of each of them, as the channel is of another type.
    pub(super) fn refuse(&self, at: &Scope<'_>, problems: &mut Problems) {
        for (key, is_written) in [
            ("server", self.server.is_written()),
            ("tls", self.tls.is_written()),
            ("from", self.from.is_written()),
            ("to", self.to.is_written()),
            ("username", self.username.is_written()),
            ("password", self.password.is_written()),
        ] {
            if is_written {
                let instead = format!("write `type: email`, or delete `{key}`");
                problems.error(&at.key(key), format!("only an `email` channel has `{key}`"), instead);
            }
        }
    }
}

/// The settings, unless there is an error in them.
pub(super) fn settings(
    raw: RawEmail,
    at: &Scope<'_>,
    private: &Private,
    problems: &mut Problems,
) -> Option<EmailSettings> {
    let plain = one_of(raw.tls, &at.key("tls"), &[("required", false), ("none", true)], problems).unwrap_or(false);
    let server = server(raw.server, &at.key("server"), plain, private, problems);
    let from = problems.require(raw.from, &at.key("from"), ADDRESS);
    let from = from.and_then(|Word(text)| mailbox(&text, &at.key("from"), problems));
    let to = recipients(raw.to, &at.key("to"), problems);
    let sign_in = sign_in(raw.username, raw.password, at, problems);
    if let (Some(server), Ok(Some(_))) = (&server, &sign_in)
        && server.tls() == Tls::Absent
    {
        problems.error(
            &at.key("password"),
            "a password is said by TLS only",
            "delete `tls: none`, or `username` and `password`",
        );
        return None;
    }
    Some(EmailSettings { server: server?, from: from?, to: to?, sign_in: sign_in.ok()? })
}

fn server(
    raw: Field<Word>,
    at: &Scope<'_>,
    plain: bool,
    private: &Private,
    problems: &mut Problems,
) -> Option<MailServer> {
    let Word(text) = problems.require(raw, at, "smtps://smtp.example")?;
    // The text is not shown: there may be a password in it.
    let server = match MailServer::parse(&text, plain) {
        Ok(server) => server,
        Err(what) => {
            let instead = "write `smtps://smtp.example`, or `smtp://smtp.example` for STARTTLS";
            problems.error(at, format!("this is no mail server: {what}"), instead);
            return None;
        }
    };
    if let Err(refused) = server.vet(private) {
        let what = match refused {
            EgressError::NotAllowed(what) => what,
            other => other.to_string(),
        };
        let instead = "use port 465 with `smtps:` or 587 with `smtp:`, or list its network under `allow_private`";
        problems.error(at, format!("no mail may go there: {what}"), instead);
        return None;
    }
    Some(server)
}

fn recipients(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, problems: &mut Problems) -> Option<Vec<Mailbox>> {
    if !raw.is_written() {
        problems.error(at, "`to` is missing", "write `to: [soc@mssp.example]`");
        return None;
    }
    let Field::Good(list) = &raw else {
        problems.take(raw, at);
        return None;
    };
    let count = list.len();
    if count == 0 {
        problems.error(at, "nobody would get this mail", "write `to: [soc@mssp.example]`");
        return None;
    }
    if count > RECIPIENTS_MAX {
        let what = format!("there are {count} recipients, more than {RECIPIENTS_MAX}");
        problems.error(at, what, "write to a distribution list");
    }
    let read: Vec<Mailbox> = problems
        .items(raw, at)
        .into_iter()
        .filter_map(|(index, Word(text))| mailbox(&text, &at.item(index), problems))
        .collect();
    (read.len() == count && count <= RECIPIENTS_MAX).then_some(read)
}

/// An address, with or without a name before it.
fn mailbox(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<Mailbox> {
    if let Err(sentence) = refuse_hidden(text) {
        problems.sentence(at, &sentence);
        return None;
    }
    let read = text.parse::<Mailbox>().ok();
    let Some(mailbox) = read else {
        problems.error(at, format!("`{text}` is no mail address"), format!("write one like `{ADDRESS}`"));
        return None;
    };
    if !mailbox.email.to_string().is_ascii() {
        let what = format!("`{}` has letters that not every server takes", mailbox.email);
        problems.error(at, what, "write its domain as `xn--…`, and use an address in plain letters");
        return None;
    }
    Some(mailbox)
}

/// Name and password, or neither; an error if only one of them is there or readable.
fn sign_in(
    username: Field<Word>,
    password: Field<RawSecret>,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Result<Option<(String, SecretReference)>, ()> {
    let (named, proven) = (username.is_written(), password.is_written());
    if named != proven {
        let (there, missing) = if named { ("username", "password") } else { ("password", "username") };
        let example = if named { "password: { file: secrets/smtp }" } else { "username: scores@mssp.example" };
        problems.error(&at.key(there), format!("`{there}` is there without `{missing}`"), format!("write `{example}`"));
    }
    let username = problems.take(username, &at.key("username")).map(|Word(name)| name);
    let here = at.key("password");
    let password = problems.take(password, &here).and_then(|secret| secrets::reference(secret, &here, problems));
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some((username, password))),
        (None, None) if !named && !proven => Ok(None),
        _ => Err(()),
    }
}
