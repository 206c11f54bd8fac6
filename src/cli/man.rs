//! `scorewatch man`: the man pages, made from the same text as `--help`.

use std::{fs, path::PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Cli, Failure, output};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch man | man -l -                                  show the page of `scorewatch`
  scorewatch man --out /usr/local/share/man/man1             write a page for each command")]
pub(super) struct Arguments {
    /// Write a page for each command into this folder
    #[arg(long, alias = "output", value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn man(arguments: &Arguments) -> Result<(), Failure> {
    let command = Cli::command().disable_help_subcommand(true);
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(command, folder)?;
        return Ok(());
    }
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    output::say(String::from_utf8(page)?.trim_end());
    Ok(())
}
