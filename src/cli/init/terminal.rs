//! A terminal that a person answers on: lines, and lines that it does not show.

use std::io::{self, BufRead, Write, stderr, stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal was at the start, so that it can be left like that.
pub(super) struct Echo(Option<Termios>);

impl Echo {
    /// Notes how the terminal is now.
    pub(super) fn now() -> Self {
        Self(tcgetattr(stdin()).ok())
    }

    /// Lets the terminal show what is typed, if it did.
    pub(super) fn restore(&self) {
        if let Some(modes) = &self.0 {
            // A terminal that is gone shows nothing anyway.
            let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
        }
    }

    /// Lets it show nothing of what is typed.
    fn hide(&self) {
        if let Some(modes) = &self.0 {
            let mut hidden = modes.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL);
            let _ = tcsetattr(stdin(), OptionalActions::Now, &hidden);
        }
    }
}

/// Asks for one line; `is_hidden`: nothing of it is shown.
///
/// # Errors
/// When the terminal is closed, or the person ends the input.
pub(super) fn line(is_hidden: bool) -> io::Result<String> {
    let echo = Echo::now();
    if is_hidden {
        // Before it is asked for: somebody may paste at once.
        echo.hide();
    }
    let (mut err, mut line) = (stderr(), String::new());
    let asked = err.write_all(b"> ").and_then(|()| err.flush());
    let read = asked.and_then(|()| stdin().lock().read_line(&mut line));
    if is_hidden {
        echo.restore();
    }
    if read? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
