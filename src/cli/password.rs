//! Reads a password: from a terminal without showing it, or a line of standard input. Never from an argument, which others can see.

use std::io::{IsTerminal, Read, Write, stderr, stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

use super::{Failure, wrong_input};
use crate::secret::password::PASSWORD_BYTES_MAX;

/// Shows again what is typed, whatever happens meanwhile.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Result<Self, Failure> {
        let before = tcgetattr(stdin())?;
        let mut hiding = before.clone();
        hiding.local_modes &= !LocalModes::ECHO;
        tcsetattr(stdin(), OptionalActions::Flush, &hiding)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing is left to be done if the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
        let _ = writeln!(stderr());
    }
}

/// Asks for a new password, on a terminal twice.
pub(super) async fn new(name: &str) -> Result<SecretString, Failure> {
    if !stdin().is_terminal() {
        return read().await;
    }
    let first = asked(&format!("New password for {name}: ")).await?;
    let second = asked("The same again: ").await?;
    if first.expose_secret() == second.expose_secret() {
        return Ok(first);
    }
    Err(wrong_input("the two passwords differ"))
}

async fn asked(prompt: &str) -> Result<SecretString, Failure> {
    let _ = write!(stderr(), "{prompt}");
    let hidden = Hidden::begin()?;
    let read = tokio::select! {
        read = read() => read,
        _ = tokio::signal::ctrl_c() => Err(wrong_input("no password was given")),
    };
    drop(hidden);
    read
}

/// The first line of standard input, without its end.
async fn read() -> Result<SecretString, Failure> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = Vec::with_capacity(PASSWORD_BYTES_MAX + 2);
        let mut input = stdin().lock();
        let mut byte = [0];
        // More than one may have is enough to know that it is too long.
        while line.len() < PASSWORD_BYTES_MAX + 2 && input.read(&mut byte)? == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        Ok::<_, std::io::Error>(line)
    });
    let line = line.await??;
    let text = String::from_utf8(line).map_err(|_| wrong_input("the password is not UTF-8"))?;
    let text = text.strip_suffix('\r').unwrap_or(&text);
    if text.is_empty() {
        return Err(wrong_input("no password was given; type it, or pass it as a line on standard input"));
    }
    Ok(text.to_owned().into())
}
