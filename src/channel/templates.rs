//! The templates of all kinds of receivers.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{ChannelSettings, dialects};
use crate::{diagnostic::Problem, domain::ChannelName, template::Registry};

/// The templates for every kind of receiver, with those of the user's folder over the built-in ones.
///
/// # Errors
/// Every problem, with file, line and column.
pub fn templates(folder: Option<&Path>) -> Result<Registry, Vec<Problem>> {
    templates_for(folder, &BTreeMap::new())
}

/// The same for these channels: what is wrong with a template that one of them uses is said of that one's kind.
///
/// # Errors
/// Every problem of the templates.
pub fn templates_for(
    folder: Option<&Path>,
    channels: &BTreeMap<ChannelName, Arc<ChannelSettings>>,
) -> Result<Registry, Vec<Problem>> {
    let of_channel = |channel: &Arc<ChannelSettings>| Some((channel.template.clone()?, channel.kind.dialect()?));
    Registry::load(dialects(), folder, channels.values().filter_map(of_channel).collect())
}
