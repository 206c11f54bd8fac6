//! Tries the first channel before anything is written, so that a wrong URL can be corrected at once.

use super::{
    super::{load_with, pending::Pending},
    Answers, files,
};
use crate::{channel::ComposeError, diagnostic::Level, domain::Complaint, secret::ExposeSecret};

/// Where the keys of channels are.
const CHANNELS: &str = "channels.";

/// The first thing that keeps the channel from working; `None`: nothing that can be known without sending anything.
#[must_use]
pub fn channel_complaint(answers: &Answers) -> Option<Complaint> {
    let open = files(answers).into_iter().filter(|file| !file.is_private());
    let pending = Pending(open.map(|file| (file.path, file.text.expose_secret().to_owned())).collect());
    let loaded = load_with(&answers.folder.join("scorewatch.yaml"), pending);
    let of_channel =
        loaded.problems.into_iter().find(|problem| problem.level == Level::Error && problem.key.starts_with(CHANNELS));
    if let Some(problem) = of_channel {
        return Some(Complaint::new(problem.what, problem.instead));
    }
    let config = loaded.config?;
    let channel = config.channels.get(&answers.channel.name)?;
    let (key, url) = answers.channel.secret.as_ref()?;
    if *key != "url" {
        return None;
    }
    match channel.vet_url(url.expose_secret()) {
        Err(ComposeError::Url(complaint)) => Some(complaint),
        _ => None,
    }
}
