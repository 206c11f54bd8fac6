//! `scorewatch init`: a new working folder, from answers on the terminal or from flags.

mod network;
mod next;
mod questions;
mod terminal;

use std::{
    io::{IsTerminal, stderr, stdin},
    path::{Path, PathBuf},
};

use self::{
    questions::{Asker, By},
    terminal::Echo,
};
use super::{Failure, output, wrong_input};
use crate::{
    clock::Clock,
    config::{
        self, Loaded,
        init::{self, Answers, NewFile, Target},
    },
    diagnostic::Warning,
    secret::PassedOn,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch init                            asks for everything, and writes the folder `scores`
  scorewatch init /srv/scores                the same for another folder
  scorewatch init --target systemd           writes /etc/scorewatch, with a unit
  scorewatch init scores --tenant-name 'Contoso Ltd' \\
    --tenant-id 2f1c0a5e-0000-4000-8000-000000000001 \\
    --client-id 6d2a0000-0000-4000-8000-000000000002 --secret-file contoso.secret \\
    --channel teams --channel-secret-file teams.url
  scorewatch init scores … --secret-file - < contoso.secret
  scorewatch init scores … --channel email --channel-key server=smtps://smtp.example \\
    --channel-key from=scores@mssp.example --channel-key to=soc@mssp.example

On a terminal, it asks for what is missing; elsewhere, it says which flags to write. Secrets are read without echo, from files \
or from standard input, and are kept in files that only you can read. Nothing is overwritten. The new folder is validated as \
`scorewatch check` does it; if there is an error, nothing is kept and the exit code is 2.")]
pub(super) struct Arguments {
    /// The folder to write: `scores`, or `/etc/scorewatch` for systemd
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Where the service will run
    #[arg(long, value_name = "TARGET", value_parser = Target::ALL.map(Target::as_str))]
    target: Option<String>,
    /// The display name of the first tenant
    #[arg(long, value_name = "NAME")]
    tenant_name: Option<String>,
    /// Its id in Scorewatch; by default made from its name
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Its directory (tenant) ID
    #[arg(long, value_name = "GUID")]
    tenant_id: Option<String>,
    /// Its cloud: commercial, gcc, gcc-high or dod
    #[arg(long, value_name = "CLOUD")]
    cloud: Option<String>,
    /// The application (client) ID of the app that reads the scores
    #[arg(long, value_name = "GUID")]
    client_id: Option<String>,
    /// A file with the app's client secret; `-` is standard input
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The day on which the client secret expires: 2027-03-01
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// A score to read; may be repeated [default: device-secure-score]
    #[arg(long, value_name = "SCORE")]
    score: Vec<String>,
    /// The type of the first channel
    #[arg(long, value_name = "TYPE")]
    channel: Option<String>,
    /// Its name [default: soc]
    #[arg(long, value_name = "NAME")]
    channel_name: Option<String>,
    /// A key of the channel that is not a secret; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    channel_key: Vec<String>,
    /// A file with the channel's secret: its URL, key or password; `-` is standard input
    #[arg(long, value_name = "FILE")]
    channel_secret_file: Option<PathBuf>,
    /// The time zone of schedules; by default that of this machine
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

impl Arguments {
    /// Whether a secret comes from standard input.
    fn reads_stdin(&self) -> bool {
        [&self.secret_file, &self.channel_secret_file].iter().any(|file| file.as_deref() == Some(Path::new("-")))
    }
}

pub(super) async fn init(arguments: Arguments) -> Result<(), Failure> {
    let can_ask = stdin().is_terminal() && stderr().is_terminal() && !arguments.reads_stdin();
    let echo = Echo::now();
    // Waits for a person.
    let asked = tokio::task::spawn_blocking(move || gather(&arguments, can_ask));
    let answers = tokio::select! {
        asked = asked => asked??,
        _ = tokio::signal::ctrl_c() => {
            echo.restore();
            // What the terminal shows of the key ends its line.
            output::complain("");
            return Err(wrong_input("nothing was written"));
        }
    };
    write(&answers).await
}

/// Everything that the folder is made from: by the flags alone if they suffice, else by a person.
fn gather(arguments: &Arguments, can_ask: bool) -> Result<Answers, Failure> {
    let mut asker = Asker::new(By::Flags);
    if let Some(answers) = questions::answers(arguments, &mut asker)? {
        return Ok(answers);
    }
    if can_ask {
        let mut asker = Asker::new(By::Person);
        if let Some(answers) = questions::answers(arguments, &mut asker)? {
            return Ok(answers);
        }
    }
    let missing = asker.missing().join("\n  ");
    Err(wrong_input(format!("there is no terminal to ask on; add these flags:\n  {missing}")))
}

/// Writes the folder and validates it; takes it away again if there is an error.
async fn write(answers: &Answers) -> Result<(), Failure> {
    let files = init::files(answers);
    let existing = init::existing(&files);
    if !existing.is_empty() {
        let list: Vec<String> = existing.iter().map(|path| format!("\n  {}", path.display())).collect();
        let instead = "move them away, or name another folder";
        return Err(wrong_input(format!(
            "nothing is overwritten, and these are there already; {instead}:{}",
            list.concat()
        )));
    }
    let placed = init::place(&files)?;
    let loaded = checked(answers).await?;
    if !loaded.problems.is_empty() {
        output::complain_of(&loaded.problems, &loaded.excerpts);
    }
    if loaded.has_error() {
        drop(placed);
        output::complain("scorewatch: nothing was kept of the new folder");
        return Err(Failure::Input(None));
    }
    placed.keep();
    show(answers, &files);
    Ok(())
}

/// What `scorewatch check` says of the new folder.
async fn checked(answers: &Answers) -> Result<Loaded, Failure> {
    if answers.target == Target::Systemd {
        // As the unit will pass them on.
        let path = std::path::absolute(answers.folder.join("secrets"))?;
        PassedOn { id: "secrets".to_owned(), path }.apply();
    }
    let file = answers.folder.join("scorewatch.yaml");
    let loaded = tokio::task::spawn_blocking(move || config::load(&file)).await?.with_secrets_tried().await;
    let mut loaded = tokio::task::spawn_blocking(move || loaded.with_world_judged(Clock::System.now())).await?;
    if answers.target == Target::Systemd {
        // The folder of the store is made by systemd, for another user.
        loaded.problems.retain(|problem| problem.warning != Some(Warning::StoreNotWritable));
    }
    Ok(loaded)
}

fn show(answers: &Answers, files: &[NewFile]) {
    output::say("\nThese files were written, and the configuration is valid:");
    for file in files {
        let note = if file.is_private() { "    (a secret; only you can read it)" } else { "" };
        output::say(&format!("  {}{note}", file.path.display()));
    }
    output::say("\nNext:");
    let (commands, notes) = next::steps(answers);
    for (command, why) in commands {
        output::say(&format!("  {command}\n      {why}"));
    }
    for note in notes {
        output::say(&format!("\n{note}"));
    }
}
