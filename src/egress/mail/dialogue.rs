//! The dialogue by which a server takes a message (RFC 5321), step by step: which step a reply belongs to decides what it means.

use std::{
    error::Error as _,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::{Auth, Data, Ehlo, Mail as MailFrom, Rcpt, Starttls},
    extension::{ClientId, Extension, ServerInfo},
    response::Response,
};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio_rustls::TlsConnector;

use super::{
    Mail, SignIn, Step, Tls,
    wire::{TooMuch, Wire},
};
use crate::egress::{Answer, EgressError, failure};

/// Most bytes that are kept of a reply's text.
const TEXT_BYTES_MAX: usize = 512;
/// Questions that a server may ask while we sign in.
const CHALLENGES_MAX: usize = 3;

/// What TLS needs: the configuration, and the name that the certificate must be for.
pub(super) struct Privacy {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

/// Why a dialogue ended before the message was handed in.
pub(super) enum End {
    /// The server said no, or not now.
    Reply(Answer),
    /// The dialogue broke off.
    Failure(EgressError),
}

/// A dialogue under way.
pub(super) struct Dialogue {
    connection: AsyncSmtpConnection,
    offered: ServerInfo,
    room: usize,
}

impl Dialogue {
    /// Greets, and makes the connection private if it shall be. `local` is our own address, by which we present ourselves.
    pub(super) async fn begin(
        wire: Wire,
        tls: Tls,
        privacy: &Privacy,
        local: IpAddr,
        room: usize,
    ) -> Result<Self, End> {
        if tls == Tls::Implicit {
            wire.encrypt(&privacy.connector, privacy.name.clone()).await.map_err(End::Failure)?;
        }
        let we = match local {
            IpAddr::V4(address) => ClientId::Ipv4(address),
            IpAddr::V6(address) => ClientId::Ipv6(address),
        };
        let begun = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), &we).await;
        let connection = begun.map_err(|error| end(Step::Hello, &error, room))?;
        let offered = connection.server_info().clone();
        let mut dialogue = Self { connection, offered, room };
        if tls == Tls::StartTls {
            if !dialogue.offered.supports_feature(Extension::StartTls) {
                return Err(End::Failure(EgressError::NotOffered("STARTTLS")));
            }
            dialogue.say(Step::StartTls, Starttls).await?;
            wire.encrypt(&privacy.connector, privacy.name.clone()).await.map_err(End::Failure)?;
            // What it offered in the open may have been written by anybody.
            let reply = dialogue.say(Step::Hello, Ehlo::new(we)).await?;
            dialogue.offered = ServerInfo::from_response(&reply).map_err(|_| End::Failure(no_smtp()))?;
        }
        Ok(dialogue)
    }

    /// Proves who we are.
    pub(super) async fn sign_in(&mut self, by: &SignIn) -> Result<(), End> {
        let known = [Mechanism::Plain, Mechanism::Login];
        let Some(mechanism) = self.offered.get_auth_mechanism(&known) else {
            return Err(End::Failure(EgressError::NotOffered("signing in with a password")));
        };
        let credentials = Credentials::new(by.username.clone(), by.password.expose_secret().to_owned());
        let first = Auth::new(mechanism, credentials.clone(), None);
        let mut reply = self.say(Step::SignIn, first.map_err(|_| End::Failure(no_smtp()))?).await?;
        for _ in 0..CHALLENGES_MAX {
            if !reply.has_code(334) {
                break;
            }
            let next = Auth::new_from_response(mechanism, credentials.clone(), &reply);
            reply = self.say(Step::SignIn, next.map_err(|_| End::Failure(no_smtp()))?).await?;
        }
        done(&reply)
    }

    /// Hands the message in. Recipients that the server refuses for good are left out, as long as it takes one; if it can't take
    /// one for now, nobody is sent anything, so that nobody is sent it twice. `handed` is set as soon as the message is on its way.
    pub(super) async fn hand_in(&mut self, mail: &Mail, handed: &AtomicBool) -> Result<Answer, End> {
        done(&self.say(Step::Sender, MailFrom::new(Some(mail.from.clone()), Vec::new())).await?)?;
        let (mut refused, mut last) = (0, None);
        for recipient in &mail.to {
            match self.say(Step::Recipient, Rcpt::new(recipient.clone(), Vec::new())).await {
                Ok(reply) => done(&reply)?,
                Err(End::Reply(answer)) if answer.status >= 500 => {
                    refused += 1;
                    last = Some(answer);
                }
                Err(end) => return Err(end),
            }
        }
        if let Some(answer) = last.filter(|_| refused == mail.to.len()) {
            return Err(End::Reply(answer));
        }
        let step = Step::Content { refused };
        if !self.say(step, Data).await?.has_code(354) {
            return Err(End::Failure(no_smtp()));
        }
        handed.store(true, Ordering::Relaxed);
        let reply = self.connection.message(&mail.content).await.map_err(|error| end(step, &error, self.room))?;
        Ok(answer(u16::from(reply.code()), step, reply.message().collect::<Vec<_>>().join(" ")))
    }

    /// Takes leave; whether the server hears it does not matter.
    pub(super) async fn leave(mut self) {
        let _ = self.connection.quit().await;
    }

    async fn say(&mut self, step: Step, command: impl std::fmt::Display) -> Result<Response, End> {
        self.connection.command(command).await.map_err(|error| end(step, &error, self.room))
    }
}

/// A reply that agrees, and asks for nothing more.
fn done(reply: &Response) -> Result<(), End> {
    if (200..300).contains(&u16::from(reply.code())) { Ok(()) } else { Err(End::Failure(no_smtp())) }
}

fn no_smtp() -> EgressError {
    EgressError::Broken("the answer is not SMTP".to_owned())
}

/// What it means that the library has no agreeing reply.
fn end(step: Step, error: &Error, room: usize) -> End {
    if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        return End::Reply(answer(code.into(), step, text));
    }
    End::Failure(if failure::find::<TooMuch>(error).is_some() {
        EgressError::TooLarge(room)
    } else if error.is_response() {
        no_smtp()
    } else {
        EgressError::Broken(failure::reason(error).unwrap_or("the answer was cut short").to_owned())
    })
}

fn answer(status: u16, step: Step, mut text: String) -> Answer {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    Answer {
        status,
        retry_after: None,
        content_type: None,
        body: Bytes::from(text),
        truncated: false,
        step: Some(step),
    }
}
