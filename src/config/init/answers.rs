//! What a new folder is to hold, and the grammar of each answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use uuid::Uuid;

use super::super::{client_secret, import::slug::slug, times::no_zone};
use crate::{
    domain::{
        ChannelName, Cloud, Complaint, EntraTenantId, ScoreKind, TenantId, Timestamp,
        characters::{self, first_hidden},
    },
    secret::{ExposeSecret, SecretString, reference::without_marks},
    zones::{self, Zones},
};

/// Longest display name, in characters.
const NAME_CHARACTERS_MAX: usize = 200;

/// Where the service will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// In a folder of a person's own.
    Folder,
    /// As a unit of systemd, which passes the secrets on as credentials.
    Systemd,
    /// In a container that mounts the folder.
    Container,
}

impl Target {
    /// Every target, in the order in which people are shown them.
    pub const ALL: [Self; 3] = [Self::Folder, Self::Systemd, Self::Container];

    /// The name as written on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Systemd => "systemd",
            Self::Container => "container",
        }
    }

    /// The folder that is written if no other is named.
    #[must_use]
    pub const fn default_folder(self) -> &'static str {
        match self {
            Self::Folder | Self::Container => "scores",
            Self::Systemd => "/etc/scorewatch",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first tenant of a new configuration.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The slug by which configuration and messages name the tenant.
    pub id: TenantId,
    /// The name that messages show.
    pub name: String,
    /// The directory (tenant) ID.
    pub entra: EntraTenantId,
    /// The cloud that it lives in.
    pub cloud: Cloud,
    /// The app's client ID.
    pub client_id: Uuid,
    /// The app's client secret.
    pub secret: SecretString,
    /// The day on which that expires, as it is written.
    pub expires: Option<String>,
}

/// The first channel of a new configuration.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// The name by which rules refer to the channel.
    pub name: ChannelName,
    /// The word under `type:`.
    pub kind: &'static str,
    /// The values of its keys, apart from the secret one.
    pub keys: BTreeMap<&'static str, String>,
    /// The key that is a secret, and the secret.
    pub secret: Option<(&'static str, SecretString)>,
}

/// Everything that a new folder is made from.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Where the service will run.
    pub target: Target,
    /// The folder in which the files are made.
    pub folder: PathBuf,
    /// Whether a package has installed the unit for that folder, so that none is written.
    pub has_unit: bool,
    /// The first tenant, whose file is made too.
    pub tenant: NewTenant,
    /// The scores that are polled.
    pub scores: Vec<ScoreKind>,
    /// The first channel, to which rules and the operator's messages go.
    pub channel: NewChannel,
    /// The IANA name of the time zone.
    pub timezone: String,
}

/// The slug of a tenant of that name.
#[must_use]
pub fn slug_of(name: &str, entra: EntraTenantId) -> Option<TenantId> {
    slug(name, "", entra.0, &BTreeSet::new())
}

/// A display name.
///
/// # Errors
/// Says that it is too long, or that it has a character which nobody can see.
pub fn display_name(text: &str) -> Result<String, Complaint> {
    if let Some(hidden) = first_hidden(text) {
        let what =
            format!("character {} is {}, which nobody can see", hidden.position, characters::name(hidden.letter));
        return Err(Complaint::new(what, "write the name without it"));
    }
    if text.chars().count() > NAME_CHARACTERS_MAX {
        return Err(Complaint::new(format!("the name has more than {NAME_CHARACTERS_MAX} characters"), "shorten it"));
    }
    Ok(text.to_owned())
}

/// A client secret, without what editors and shells leave around it. Nothing of it is repeated.
///
/// # Errors
/// Says that it can't be one.
pub fn client_secret(text: &str) -> Result<SecretString, Complaint> {
    if client_secret::is_id(text) {
        let what = "this is a GUID, which looks like the secret's ID";
        return Err(Complaint::new(what, "copy the secret's value, which Entra shows only once"));
    }
    let secret = one_line(text)?;
    match client_secret::doubt(secret.expose_secret()) {
        Some(Complaint { what, instead }) => Err(Complaint::new(format!("it {what}"), instead)),
        None => Ok(secret),
    }
}

/// A secret on one line, without what editors and shells leave around it. Nothing of it is repeated.
///
/// # Errors
/// Says that it is empty, or that it has several lines.
pub fn one_line(text: &str) -> Result<SecretString, Complaint> {
    let text = without_marks(text.to_owned());
    match text.trim() {
        "" => Err(Complaint::new("the secret is empty", "copy it again")),
        lines if lines.contains(['\r', '\n']) => {
            Err(Complaint::new("the secret has more than one line", "keep each secret in a file of its own"))
        }
        secret => Ok(secret.into()),
    }
}

/// A GUID, as Entra shows it.
///
/// # Errors
/// Says that it is not one.
pub fn guid(text: &str) -> Result<Uuid, Complaint> {
    let parsed = Uuid::parse_str(text).ok().filter(|id| !id.is_nil());
    let instead = "copy it from the overview page of the app registration, like `2f1c0a5e-0000-4000-8000-000000000001`";
    parsed.ok_or_else(|| Complaint::new(format!("`{text}` is not a GUID"), instead))
}

/// A day: `2027-03-01`.
///
/// # Errors
/// Says that it is not one.
pub fn day(text: &str) -> Result<String, Complaint> {
    let is_day = text.len() == "2027-03-01".len() && Timestamp::parse(&format!("{text}T00:00:00Z")).is_some();
    if is_day {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(format!("`{text}` is not a day"), "write it like `2027-03-01`"))
}

/// The name of a time zone.
///
/// # Errors
/// Says that there is none of that name.
pub fn timezone(text: &str) -> Result<String, Complaint> {
    if Zones::newer(&zones::system_folder()).zone(text).is_some() {
        return Ok(text.to_owned());
    }
    Err(no_zone(text))
}
