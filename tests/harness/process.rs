//! The real binary: started, listened to, killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Mutex,
    time::Duration,
};

use serde_json::Value;
use tokio::sync::watch;

use super::{Watch, event};

/// A running `scorewatch run`; dropping it kills it.
pub(crate) struct Service {
    child: Mutex<Child>,
    log: watch::Receiver<Log>,
}

#[derive(Default)]
struct Log {
    text: String,
    address: Option<SocketAddr>,
    ended: bool,
}

impl Service {
    pub(crate) fn spawn(config: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = binary(config);
        command.arg("run");
        Self::spawn_by(command, environment)
    }

    /// The same by a command that becomes `scorewatch run`.
    pub(crate) fn spawn_by(mut command: Command, environment: &[(&str, &str)]) -> Self {
        command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        // Where it is to crash; other variables may hold what no log may show.
        let crash: Vec<_> = environment.iter().filter(|(name, _)| name.starts_with("SCOREWATCH_CRASH")).collect();
        let text = if crash.is_empty() { String::new() } else { format!("{crash:?}\n") };
        let (sender, log) = watch::channel(Log { text, ..Log::default() });
        std::thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                sender.send_modify(|log| log.add(&line));
            }
            sender.send_modify(|log| log.ended = true);
        });
        Self { child: Mutex::new(child), log }
    }

    /// Waits until the service says where it listens.
    pub(crate) async fn listening(&self) -> SocketAddr {
        self.listens().await;
        let address = self.log.borrow().address;
        address.unwrap_or_else(|| panic!("it ended before it listened:\n{}", self.log()))
    }

    /// Waits until the service says where it listens, or ends: `false`.
    pub(crate) async fn listens(&self) -> bool {
        self.wait_for(|log| log.address.is_some() || log.ended).await;
        self.log.borrow().address.is_some()
    }

    /// Waits until the log holds that text.
    pub(crate) async fn says(&self, text: &str) {
        self.wait_for(|log| log.text.contains(text) || log.ended).await;
        assert!(self.log.borrow().text.contains(text), "it ended without saying {text:?}:\n{}", self.log());
    }

    async fn wait_for(&self, mut enough: impl FnMut(&Log) -> bool) {
        let mut log = self.log.clone();
        let arrived = event(log.wait_for(|log| enough(log))).await;
        assert!(matches!(arrived, Some(Ok(_))), "waited in vain; log:\n{}", self.log());
    }

    /// Everything that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.borrow().text.clone()
    }

    /// `kill -9`. Returns when the process is gone.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        // An error means that it is gone already.
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// The process id of the service.
    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Whether the process has not ended.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.child.lock().unwrap().try_wait(), Ok(None))
    }

    /// Sends a signal by name: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap().success());
    }

    /// Waits until the process has ended on its own.
    pub(crate) async fn ended(&self) -> ExitStatus {
        self.wait_for(|log| log.ended).await;
        self.child.lock().unwrap().wait().unwrap()
    }

    /// SIGTERM, and its exit.
    pub(crate) async fn stop(self) -> ExitStatus {
        self.stop_timed().await.0
    }

    /// The same, and how long that took, less the time for which the machine kept it from running.
    pub(crate) async fn stop_timed(self) -> (ExitStatus, Duration) {
        let watch = Watch::over(self.id());
        self.signal("TERM");
        let status = self.ended().await;
        (status, watch.stop())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Log {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if line["message"] == "listening" {
            self.address = line["address"].as_str().and_then(|address| address.parse().ok());
        }
    }
}

/// Runs a command of the binary to its end.
pub(crate) async fn command(config: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = binary(config);
    command.args(arguments).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn binary(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorewatch"));
    command.arg("--config").arg(config).env_remove("SCOREWATCH_LOG").env_remove("SCOREWATCH_CONFIG");
    command
}
