//! `scorewatch completions`: what a shell needs to complete commands and options.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure, output};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch completions bash > /etc/bash_completion.d/scorewatch
  scorewatch completions zsh > \"${fpath[1]}/_scorewatch\"
  scorewatch completions fish > ~/.config/fish/completions/scorewatch.fish
  scorewatch completions powershell >> $PROFILE")]
pub(super) struct Arguments {
    /// The shell that is to complete commands
    #[arg(value_name = "SHELL", value_parser = SHELLS.map(|(name, _)| name))]
    shell: String,
}

/// The shells that there is a script for.
const SHELLS: [(&str, Shell); 4] =
    [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish), ("powershell", Shell::PowerShell)];

pub(super) fn completions(arguments: &Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    if let Some((_, shell)) = SHELLS.into_iter().find(|(name, _)| *name == arguments.shell) {
        clap_complete::generate(shell, &mut Cli::command(), "scorewatch", &mut script);
    }
    output::say(String::from_utf8(script)?.trim_end());
    Ok(())
}
