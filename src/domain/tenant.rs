//! One customer organisation: its slug, its Entra id, its cloud, its labels.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::name::name;

name! {
    /// A tenant's slug, as written under `id:`. Not the Entra id.
    TenantId
}

/// Labels of a tenant, by which rules and channels select it.
pub type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// The directory (tenant) id that Entra shows on its overview page: a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntraTenantId(pub Uuid);

impl fmt::Display for EntraTenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The national cloud that a tenant lives in. Tokens of one are useless in another ("National cloud deployments").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The worldwide cloud.
    #[default]
    Commercial,
    /// US Government Community Cloud: worldwide Entra and Graph, a `.us` Defender host.
    Gcc,
    /// US GCC High.
    GccHigh,
    /// US Department of Defense.
    Dod,
}

impl Cloud {
    /// Every cloud, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Commercial, Self::Gcc, Self::GccHigh, Self::Dod];

    /// The name as written in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commercial => "commercial",
            Self::Gcc => "gcc",
            Self::GccHigh => "gcc-high",
            Self::Dod => "dod",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The nearer API host of the commercial cloud ("Improve request performance", Defender for Endpoint API).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Region {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// United Kingdom.
    Uk,
    /// Australia.
    Au,
    /// Switzerland.
    Swa,
    /// India.
    Ina,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 6] = [Self::Us, Self::Eu, Self::Uk, Self::Au, Self::Swa, Self::Ina];

    /// The name as written in configuration, which is also the first part of the host.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Au => "au",
            Self::Swa => "swa",
            Self::Ina => "ina",
        }
    }
}
