//! What a program prints: run without a shell, with little of our environment, for a while at most.

use std::{
    collections::BTreeSet,
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::{Instant, timeout_at},
};

use super::{Found, Refusal};
use crate::{
    domain::format_duration,
    secret::{
        Item,
        reference::{SECRET_BYTES_MAX, not_text, too_large, without_marks},
    },
};

/// How long a program may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long after its end a program's output may still be on its way; what it left running may hold the pipe for ever.
const AFTER_END: Duration = Duration::from_millis(250);
/// What a program gets of our environment; the rest may hold secrets of others.
const ENVIRONMENT: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "CREDENTIALS_DIRECTORY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The process groups of the programs that run now, to be killed when this process ends.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every program that still runs. For the end of this process, which waits for nobody.
pub fn kill_all() {
    for group in std::mem::take(&mut *groups()) {
        if let Some(group) = Pid::from_raw(group) {
            // An error means that nobody is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A program and all that it started and did not send away. Killed when dropped, unless it came to its end.
struct Running {
    child: Child,
    group: Option<Pid>,
    /// The number of its process group, even after its end.
    number: i32,
}

impl Running {
    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // An error means that nobody is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        groups().remove(&self.number);
    }
}

/// Runs a program and takes what it prints.
pub(super) async fn run(item: &Item) -> Result<Found, Refusal> {
    let Item::Output { program, arguments, folder, time_limit } = item else {
        return Err(Refusal::final_word("is not a program"));
    };
    let mut running = start(program, arguments, folder)?;
    let until = Instant::now() + *time_limit;
    let Some(output) = running.child.stdout.take() else { return Err(Refusal::down("has no output")) };
    let mut printed = Vec::new();
    let mut output = output.take(SECRET_BYTES_MAX as u64 + 1);
    let ended = {
        let reading = output.read_to_end(&mut printed);
        tokio::pin!(reading);
        let waiting = async {
            tokio::select! {
                // What fills the cap is not waited for; what closes its output may take its time to end.
                read = &mut reading => read.map(|bytes| (bytes <= SECRET_BYTES_MAX).then_some(None)),
                ended = running.child.wait() => ended.map(|ended| Some(Some(ended))),
            }
        };
        match timeout_at(until, waiting).await {
            Ok(Ok(Some(Some(ended)))) => {
                // All that it printed is in the pipe already.
                let rest = timeout_at((Instant::now() + AFTER_END).min(until), &mut reading).await;
                if rest.is_ok() {
                    running.group = None;
                }
                Ok(Some(ended))
            }
            Ok(Ok(Some(None))) => match timeout_at(until, running.child.wait()).await {
                Ok(ended) => {
                    running.group = None;
                    ended.map(Some)
                }
                Err(_) => Ok(None),
            },
            Ok(Ok(None)) => return Err(Refusal::final_word(too_large())),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(None),
        }
    };
    judge(ended, printed, *time_limit)
}

/// What its end and its output mean.
fn judge(ended: io::Result<Option<ExitStatus>>, printed: Vec<u8>, limit: Duration) -> Result<Found, Refusal> {
    let ended = match ended {
        Ok(Some(ended)) => ended,
        Ok(None) => return Err(Refusal::down(format!("did not end within {}", format_duration(limit)))),
        Err(error) => return Err(Refusal::down(format!("can't be waited for: {}", error.kind()))),
    };
    match (ended.code(), ended.signal()) {
        (Some(0), _) => {}
        (Some(code), _) => return Err(Refusal::down(format!("ended with exit code {code}"))),
        (None, signal) => return Err(Refusal::down(format!("was ended by signal {}", signal.unwrap_or_default()))),
    }
    if printed.len() > SECRET_BYTES_MAX {
        return Err(Refusal::final_word(too_large()));
    }
    let text = String::from_utf8(printed).map_err(|_| Refusal::final_word(not_text()))?;
    Ok(Found { value: without_marks(text).into(), expires_at: None })
}

fn start(program: &Path, arguments: &[String], folder: &Path) -> Result<Running, Refusal> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // A path without a slash would be looked for in `PATH`, and a relative one from the new folder.
    let program = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Programs print secrets there, too, and nobody is to read them.
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refusal::down("does not exist, or its interpreter does not"),
        kind => Refusal::down(format!("can't be started: {kind}")),
    })?;
    let number = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
    groups().insert(number);
    Ok(Running { child, group: Pid::from_raw(number), number })
}
