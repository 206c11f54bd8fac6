//! The command line: one file per command. Results go to standard output, logs and problems to standard error.

mod account;
mod alerts;
mod audit;
mod backtest;
mod backup;
mod caller;
mod channels;
mod check;
mod completions;
mod configured;
mod deliveries;
mod demo;
mod diff;
mod doctor;
mod explain;
mod health;
mod init;
mod logging;
mod man;
mod mcp;
mod migrate;
mod once;
mod output;
mod password;
mod preview;
mod replicas;
mod report;
mod run;
mod schema;
mod silences;
mod stopped;
mod store;
mod tenants;
mod test;
mod token;
mod traces;
mod who_sees;
mod windows;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use self::{
    configured::{Readable, configured, configured_by, perhaps_unread, readable},
    traces::Traces,
};
use crate::{
    query::{self, Thing},
    secret::PassedOn,
    secret_store::kill_programs,
};

/// Exit code of a command that did what it was asked.
const FINE: u8 = 0;
/// Something failed at run time.
const FAILED: u8 = 1;
/// The input is wrong.
const WRONG_INPUT: u8 = 2;

/// The most threads for blocking work: name look-ups, files, certificates.
const BLOCKING_THREADS_MAX: usize = 256;

/// Watches the Microsoft security scores of many tenants and notifies the right people when one worsens.
#[derive(Debug, Parser)]
#[command(name = "scorewatch", version = env!("SCOREWATCH_VERSION"), max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, env = "SCOREWATCH_CONFIG", default_value = "scorewatch.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  scorewatch demo                          see it work without any account
  scorewatch init                          write a configuration: first tenant, first channel, rules
  scorewatch check                         report every problem of the configuration
  scorewatch check --online                sign in to every tenant, and say what is missing
  scorewatch doctor                        judge the whole installation, and say what to do
  scorewatch test rules/tests/*.yaml       unit tests of rules
  scorewatch backtest --since 30d          what the rules would have sent
  scorewatch once --tenant contoso         one check of one tenant, now
  scorewatch run                           the service
  scorewatch alerts list                   what is firing
  scorewatch explain contoso device-score-drop   why, or why not
  scorewatch deliveries list --state dead  what could not be delivered
  scorewatch silences add --tenant contoso --for 2h --comment patching

Exit codes: 0 success, 1 a failure at run time, 2 invalid input.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new working folder: first tenant, first channel, rules, and what systemd or a container needs
    Init(init::Arguments),
    /// Run the service: check every tenant on schedule and notify the channels
    Run(run::Arguments),
    /// Check each tenant once, now, and print a table
    Once(once::Arguments),
    /// Validate configuration, rules and templates, and report every problem
    Check(check::Arguments),
    /// Run unit tests of rules: readings in, and what is sent held against what was expected
    Test(test::Arguments),
    /// Show what rules would have sent for past readings
    Backtest(backtest::Arguments),
    /// Show everything at work against a simulated Microsoft cloud and chat receivers on loopback
    Demo(demo::Arguments),
    /// Compare two configurations: tenants, rules, channels, who sees whom, and which alerts would change
    Diff(diff::Arguments),
    /// Explain why a rule fires for a tenant or does not, and what happened to its messages
    Explain(explain::Arguments),
    /// List what each channel can ever show: its tenants, and the rules that send to it
    WhoSees(who_sees::Arguments),
    /// Show the exact message of a rule for a channel, and send it if asked
    Preview(preview::Arguments),
    /// Judge the installation: store, disk, clock, modes, limits, credentials, channels, every host that is called
    Doctor(doctor::Arguments),
    /// Ask the running service whether it is ready; the exit code says so
    Health(health::Arguments),
    /// Print a script that completes commands and options in a shell
    Completions(completions::Arguments),
    /// Print the man page, or write one for each command
    Man(man::Arguments),
    /// Answer an assistant's questions over standard input and output (Model Context Protocol); changes nothing
    Mcp(mcp::Arguments),
    /// Write a tenant's month as a page that can be printed or attached to mail
    Report(report::Arguments),
    /// Print a JSON Schema of the configuration, for editors, or of what a webhook receives
    Schema(schema::Arguments),
    /// List alerts, show one, acknowledge one, or accept its loss as the new level
    Alerts(alerts::Arguments),
    /// List deliveries, show one with its attempts, or send one again
    Deliveries(deliveries::Arguments),
    /// List, add or end silences
    Silences(silences::Arguments),
    /// List tenants and the state of their checks
    Tenants(tenants::Arguments),
    /// List channels and their state, send a drill, or resume a parked channel
    Channels(channels::Arguments),
    /// List the services that share a PostgreSQL store, and what each works on
    Replicas(replicas::Arguments),
    /// Create, list and revoke tokens of the API
    Token(token::Arguments),
    /// Add, list and disable local accounts, or set a password
    Account(account::Arguments),
    /// List, export and verify the audit log
    Audit(audit::Arguments),
    /// Make or change the tables of the store, as the service does when it starts
    Migrate(migrate::Arguments),
    /// Copy the store into a new file while the service runs
    Backup(backup::BackupArguments),
    /// Put a backup in the place of the store, and keep the store that was there
    Restore(backup::RestoreArguments),
    /// Copy the store from SQLite to PostgreSQL, or back
    Store(store::Arguments),
}

/// For commands that need secrets and run outside the unit of the service.
#[derive(Debug, clap::Args)]
struct OutsideUnit {
    /// Where the files of systemd credentials are, as in `LoadCredential=` of the unit
    #[arg(long, env = "SCOREWATCH_CREDENTIALS", value_name = "ID:PATH")]
    credentials: Option<PassedOn>,
}

impl OutsideUnit {
    fn apply(&self) {
        self.credentials.iter().cloned().for_each(PassedOn::apply);
    }
}

/// Why a command exits with a code other than 0.
#[derive(Debug)]
enum Failure {
    /// The input is invalid; `None` if the problems were already printed.
    Input(Option<anyhow::Error>),
    /// A failure at run time; `None` if it was already printed.
    Run(Option<anyhow::Error>),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<query::Error>() {
            Some(asked @ query::Error::NotFound { what: Thing::Tenant | Thing::Channel | Thing::Rule, .. }) => {
                wrong_input(format!("{asked}{}{}", perhaps_unread(), listing_of(asked)))
            }
            Some(asked) if asked.is_input() => wrong_input(format!("{asked}{}", listing_of(asked))),
            _ => Self::Run(Some(error)),
        }
    }
}

/// The hint that names the command which lists the things of a kind that was not found.
const fn listing_of(error: &query::Error) -> &'static str {
    match error {
        query::Error::NotFound { nearest: Some(_), .. } => "",
        query::Error::NotFound { what: Thing::Tenant, .. } => "; `scorewatch tenants list` shows them",
        query::Error::NotFound { what: Thing::Channel, .. } => "; `scorewatch channels list` shows them",
        query::Error::NotFound { what: Thing::Delivery, .. } => "; `scorewatch deliveries list` shows them",
        query::Error::NotFound { what: Thing::Token, .. } => "; `scorewatch token list` shows them",
        query::Error::NotFound { what: Thing::Account, .. } => "; `scorewatch account list` shows them",
        query::Error::NotFound { what: Thing::Silence, .. } => "; `scorewatch silences list --all` shows them",
        query::Error::NotFound { what: Thing::Session, .. } => "; `scorewatch account sessions` shows who is signed in",
        _ => "",
    }
}

/// Parses the command line, runs the command, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A failure to print help or usage leaves nothing to report it with.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG_INPUT } else { FINE });
        }
    };
    let traces = logging::start(matches!(cli.command, Command::Run(_)));
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was already installed");
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::Run(Some(error.into()))),
    };
    let code = match runtime.block_on(obey(cli, traces)) {
        Ok(()) => ExitCode::from(FINE),
        Err(failure) => report(&failure),
    };
    kill_programs();
    // A thread that waits for a name server or a disk is not waited for.
    runtime.shutdown_background();
    code
}

async fn obey(cli: Cli, traces: Option<Traces>) -> Result<(), Failure> {
    let file = cli.config;
    match cli.command {
        Command::Init(arguments) => init::init(arguments).await,
        Command::Run(arguments) => traces::along(traces, run::run(&file, &arguments)).await,
        Command::Once(arguments) => once::once(&file, &arguments).await,
        Command::Check(arguments) => check::check(&file, &arguments).await,
        Command::Test(arguments) => test::test(&arguments),
        Command::Backtest(arguments) => backtest::backtest(&file, &arguments).await,
        Command::Demo(arguments) => demo::demo(&arguments).await,
        Command::Diff(arguments) => diff::diff(&arguments).await,
        Command::Doctor(arguments) => doctor::doctor(&file, &arguments).await,
        Command::Explain(arguments) => explain::explain(&file, &arguments).await,
        Command::WhoSees(arguments) => who_sees::who_sees(&file, &arguments),
        Command::Preview(arguments) => preview::preview(&file, &arguments).await,
        Command::Health(arguments) => health::health(&file, &arguments).await,
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Man(arguments) => man::man(&arguments),
        Command::Mcp(arguments) => mcp::mcp(&file, &arguments).await,
        Command::Report(arguments) => report::report(&file, &arguments).await,
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Alerts(arguments) => alerts::alerts(&file, arguments).await,
        Command::Deliveries(arguments) => deliveries::deliveries(&file, arguments).await,
        Command::Silences(arguments) => silences::silences(&file, arguments).await,
        Command::Tenants(arguments) => tenants::tenants(&file, arguments).await,
        Command::Channels(arguments) => channels::channels(&file, arguments).await,
        Command::Replicas(arguments) => replicas::replicas(&file, &arguments).await,
        Command::Token(arguments) => token::token(&file, arguments).await,
        Command::Account(arguments) => account::account(&file, arguments).await,
        Command::Audit(arguments) => audit::audit(&file, arguments).await,
        Command::Migrate(arguments) => migrate::migrate(&file, &arguments).await,
        Command::Backup(arguments) => backup::backup(&file, &arguments).await,
        Command::Restore(arguments) => backup::restore(&file, &arguments).await,
        Command::Store(arguments) => store::store(&file, arguments).await,
    }
}

fn report(failure: &Failure) -> ExitCode {
    let (code, error) = match failure {
        Failure::Input(error) => (WRONG_INPUT, error),
        Failure::Run(error) => (FAILED, error),
    };
    if let Some(error) = error {
        output::complain(&format!("scorewatch: {error:#}"));
    }
    ExitCode::from(code)
}

fn wrong_input(what: impl Into<String>) -> Failure {
    Failure::Input(Some(anyhow::Error::msg(what.into())))
}
