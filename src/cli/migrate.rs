//! `scorewatch migrate`: makes or changes the tables of the store.

use std::{path::Path, time::Instant};

use serde::Serialize;

use super::{Failure, caller, configured, output};
use crate::action::store::{self, SchemaStep};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch migrate --check    say what would be done; exit code 1 if there is something to do
  scorewatch migrate            do it

The service does the same when it starts. Exit codes of `--check`: 0 there is nothing to do, 1 there is, or the store \
can't be read.")]
pub(super) struct Arguments {
    /// Only say what would be done
    #[arg(long)]
    check: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    step: SchemaStep,
    /// Whether it has the newest schema now.
    is_current: bool,
    /// How long it took to change it; absent: nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_s: Option<f64>,
}

pub(super) async fn migrate(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let (config, caller) = (configured(file)?, caller::caller());
    let began = Instant::now();
    let step =
        if arguments.check { store::schema(&config, &caller).await? } else { store::migrate(&config, &caller).await? };
    let is_changed = !arguments.check && !step.is_current();
    let took_s = is_changed.then(|| began.elapsed().as_secs_f64());
    let is_current = step.is_current() || is_changed;
    if arguments.json {
        output::json(&Report { step, is_current, took_s })?;
    } else {
        output::say(&said(step, took_s));
    }
    if is_current { Ok(()) } else { Err(Failure::Run(None)) }
}

fn said(step: SchemaStep, took_s: Option<f64>) -> String {
    let SchemaStep { from, to } = step;
    match (took_s, from) {
        _ if from > to => {
            format!(
                "the store has schema {from}, newer than this version's {to}, which works with it; there is nothing to do"
            )
        }
        _ if step.is_current() => format!("the store has schema {to}, the newest; there is nothing to do"),
        (None, 0) => format!("there is no store yet; it would be made with schema {to}"),
        (None, _) => format!("the store has schema {from}; it would be changed to schema {to}"),
        (Some(took), 0) => format!("the store was made with schema {to} in {took:.1} s"),
        (Some(took), _) => format!("the store was changed from schema {from} to schema {to} in {took:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_from_which_schema_to_which() {
        for (from, took, text) in [
            (21, None, "the store has schema 21, the newest; there is nothing to do"),
            (
                24,
                None,
                "the store has schema 24, newer than this version's 21, which works with it; there is nothing to do",
            ),
            (0, None, "there is no store yet; it would be made with schema 21"),
            (7, None, "the store has schema 7; it would be changed to schema 21"),
            (0, Some(0.04), "the store was made with schema 21 in 0.0 s"),
            (7, Some(12.34), "the store was changed from schema 7 to schema 21 in 12.3 s"),
        ] {
            assert_eq!(said(SchemaStep { from, to: 21 }, took), text);
        }
    }
}
