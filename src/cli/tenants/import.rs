//! `scorewatch tenants import`: a list of customers becomes tenant files, all of them or none.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::super::{Failure, output, wrong_input};
use crate::{
    config::{
        import::{self, Line, Outcome, Plan, SHEET_BYTES_MAX, Wish},
        load,
    },
    diagnostic::{Excerpts, Problem},
    domain::{Cloud, EntraTenantId, Labels, Scope, TenantId},
    query,
};

/// Arguments of `tenants import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch tenants import customers.csv --dry-run          what would be written
  scorewatch tenants import customers.csv                    the customers that Partner Center exports
  scorewatch tenants import new.csv --label tier=gold --label country=de
  scorewatch tenants import us.csv --cloud gcc-high          their consent links lead to that cloud
  scorewatch tenants import contracts.json                   what Microsoft Graph answers to GET /v1.0/contracts

Columns, in any order: tenant_id, name, domain, id, cloud, region, labels (`tier=gold country=de`), label:KEY, and for an app of \
the tenant's own client_id with one of secret_file, secret_env, secret_credential, certificate_file. The columns of Partner \
Center, of Microsoft Graph's contracts, of CIPP, of GDAP lists and of Get-MsolPartnerContract are recognized too. \
Identical rows for one tenant are merged. Nothing is overwritten: a tenant that is already known is left alone. If \
any row is bad, nothing is written and the exit code is 2.")]
pub(super) struct Arguments {
    /// The list: CSV in UTF-8, separated by commas, semicolons or tabs, with a line of column names; or JSON, as Microsoft Graph answers
    #[arg(value_name = "FILE")]
    list: PathBuf,
    /// The folder for the new files; by default the one that `tenants:` names
    #[arg(long, alias = "output", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
    /// A label of every new tenant; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// The cloud of every new tenant whose row names none
    #[arg(long, value_name = "CLOUD", value_parser = Cloud::ALL.map(Cloud::as_str))]
    cloud: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Whether the files were written.
    written: bool,
    tenants: &'a [Line],
    problems: &'a [Problem],
}

pub(super) async fn import(config: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let labels = labels(&arguments.label)?;
    let cloud = arguments.cloud.as_deref();
    let cloud = cloud.and_then(|name| Cloud::ALL.into_iter().find(|cloud| cloud.as_str() == name));
    let (config, list, out) = (config.to_owned(), arguments.list.clone(), arguments.out.clone());
    let kept = kept(&config).await?;
    // Reads and checks as many files as there are tenants.
    let planned = tokio::task::spawn_blocking(move || {
        let bytes = read(&list)?;
        let wish = Wish { config: &config, list: &list, folder: out.as_deref(), labels, cloud, kept };
        import::plan(&wish, &bytes).map_err(|loaded| {
            output::complain_of(&loaded.problems, &loaded.excerpts);
            Failure::Input(None)
        })
    });
    let plan = planned.await??;
    let is_good = plan.is_good();
    let is_written = is_good && !arguments.dry_run;
    if is_written {
        import::place(&plan.files)?;
    }
    if arguments.json {
        output::json(&Report { written: is_written, tenants: &plan.lines, problems: &plan.problems })?;
    } else {
        show(&plan, is_written);
    }
    if is_good { Ok(()) } else { Err(Failure::Input(None)) }
}

/// The tenants that the store knows, if there is a store. The import itself reports a configuration that can't be read.
async fn kept(config: &Path) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, Failure> {
    let main = config.to_owned();
    let loaded = tokio::task::spawn_blocking(move || load(&main)).await?;
    let Some(config) = loaded.config else { return Ok(BTreeMap::new()) };
    let names = query::tenants::names(&config, &Scope::All).await;
    names.map_err(|error| Failure::Run(Some(anyhow::anyhow!("can't look up which slugs were used before: {error}"))))
}

fn read(list: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(list).and_then(|file| file.take(SHEET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(wrong_input(format!("{} can't be read: {error}", list.display()))),
    }
}

fn labels(written: &[String]) -> Result<Labels, Failure> {
    let mut labels = Labels::new();
    for pair in written {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        import::check_label(key, value)
            .map_err(|what| wrong_input(format!("--label: {what}; write it like `--label tier=gold`")))?;
        labels.insert(key.into(), value.into());
    }
    Ok(labels)
}

fn show(plan: &Plan, is_written: bool) {
    if !plan.problems.is_empty() {
        // Without the lines themselves: in somebody else's list anything may be a secret.
        output::complain_of(&plan.problems, &Excerpts::default());
    }
    let rows = plan.lines.iter().map(|line| {
        [
            line.item.map_or_else(|| line.line.to_string(), |item| format!("item {item}")),
            word(line.outcome).to_owned(),
            output::or_dash(line.id.as_ref()),
            line.name.clone(),
            output::or_dash(line.tenant_id),
            line.differs.join("; "),
        ]
    });
    output::say(&output::table(["LINE", "", "ID", "NAME", "ENTRA TENANT", "DIFFERS"], rows));
    let consents: Vec<_> = plan.lines.iter().filter(|line| line.outcome == Outcome::New).collect();
    if plan.is_good() && consents.iter().any(|line| line.consent_link.is_some()) {
        let rows = consents.iter().filter_map(|line| Some([line.id.as_ref()?.to_string(), line.consent_link.clone()?]));
        output::say("");
        output::say(&output::table(["ID", "CONSENT LINK, FOR AN ADMINISTRATOR OF THE TENANT"], rows));
    }
    let count = |outcome| plan.lines.iter().filter(|line| line.outcome == outcome).count();
    let [new, known, refused] = [Outcome::New, Outcome::Known, Outcome::Refused].map(count);
    let [merged, ended] = [Outcome::Merged, Outcome::Ended].map(count);
    let merged = if merged == 0 { String::new() } else { format!(", {merged} merged with a row above") };
    let ended = if ended == 0 { String::new() } else { format!(", {ended} ended") };
    let written = if is_written { "" } else { "; nothing was written" };
    output::say("");
    output::say(&format!("{new} new, {known} known, {refused} refused{merged}{ended}{written}"));
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::New => "new",
        Outcome::Merged => "same",
        Outcome::Known => "known",
        Outcome::Ended => "ended",
        Outcome::Refused => "refused",
    }
}
