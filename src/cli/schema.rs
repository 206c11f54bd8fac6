//! `scorewatch schema`: JSON Schemas, of the configuration for editors and of what a webhook receives.

use super::{Failure, output};
use crate::config::schema::{self, Subject};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch schema > scorewatch.schema.json            for scorewatch.yaml
  scorewatch schema --tenants > tenants.schema.json     for tenant files
  scorewatch schema --rules > rules.schema.json         for rule files
  scorewatch schema --tests > tests.schema.json         for files with tests of rules
  scorewatch schema --webhook                           for what a generic webhook receives

In an editor with the YAML language server, put this on a file's first line:
  # yaml-language-server: $schema=scorewatch.schema.json")]
pub(super) struct Arguments {
    #[command(flatten)]
    of: Files,
    /// Print the schema of what a generic webhook receives
    #[arg(long, conflicts_with = "files")]
    webhook: bool,
}

/// The files to print the schema of; by default the main file.
#[derive(Debug, clap::Args)]
#[group(id = "files", multiple = false)]
struct Files {
    /// Print the schema of tenant files
    #[arg(long)]
    tenants: bool,
    /// Print the schema of rule files
    #[arg(long)]
    rules: bool,
    /// Of files with tests of rules
    #[arg(long)]
    tests: bool,
}

pub(super) fn schema(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.webhook {
        return output::json(&crate::notify::notification::schema());
    }
    let Files { tenants, rules, tests } = arguments.of;
    let subject = match (tenants, rules, tests) {
        (true, ..) => Subject::Tenants,
        (_, true, _) => Subject::Rules,
        (.., true) => Subject::Tests,
        _ => Subject::Main,
    };
    output::json(&schema::schema(subject))
}
