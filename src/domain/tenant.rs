//! One customer organisation: its slug, its Entra id, its cloud, its labels.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::name::{NAME_BYTES_MAX, name};

name! {
    /// A tenant's slug, as written under `id:`. Not the Entra id.
    ///
    /// ```
    /// use scorewatch::domain::TenantId;
    ///
    /// assert_eq!(TenantId::parse("contoso").unwrap().as_str(), "contoso");
    /// assert!(TenantId::parse("Contoso Ltd").is_err(), "lower-case letters, digits, `-`, `_` and `.` only");
    /// ```
    TenantId
}

/// Letters of an Entra id in the name under which a tenant is kept whose slug belongs to another by now.
const ENTRA_LETTERS: usize = 8;
/// What stands there of a tenant whose Entra id is not known.
const UNKNOWN: &str = "removed";

impl TenantId {
    /// The name under which what is left of a tenant is kept once its slug belongs to another: `contoso.2f1c0a5e`, from the
    /// second on `contoso.2f1c0a5e-2`.
    #[must_use]
    pub fn kept(slug: &str, entra: Option<EntraTenantId>, number: u32) -> String {
        let mark = entra.map_or_else(|| UNKNOWN.to_owned(), |entra| entra.to_string()[..ENTRA_LETTERS].to_owned());
        let suffix = if number == 1 { format!(".{mark}") } else { format!(".{mark}-{number}") };
        // A slug is ASCII.
        format!("{}{suffix}", slug.get(..NAME_BYTES_MAX.saturating_sub(suffix.len())).unwrap_or(slug))
    }

    /// The slug that a tenant had before it was kept under this name; `None`: this is none of those names.
    #[must_use]
    pub fn former(&self) -> Option<&str> {
        let (slug, mark) = self.as_str().rsplit_once('.')?;
        let (mark, number) = mark.split_once('-').unwrap_or((mark, "2"));
        let is_entra = mark.len() == ENTRA_LETTERS && mark.bytes().all(|letter| letter.is_ascii_hexdigit());
        ((is_entra || mark == UNKNOWN) && number.parse::<u32>().is_ok()).then_some(slug)
    }
}

/// Labels of a tenant, by which rules and channels select it.
pub type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// The directory (tenant) id that Entra shows on its overview page: a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String")]
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
    /// Microsoft's worldwide commercial cloud.
    #[default]
    Commercial,
    /// US Government Community Cloud: worldwide Entra and Graph, a `.us` Defender host.
    Gcc,
    /// The US government cloud GCC High.
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
    /// Tenants hosted in the United States.
    Us,
    /// Tenants hosted in Europe.
    Eu,
    /// Tenants hosted in the United Kingdom.
    Uk,
    /// Tenants hosted in Australia.
    Au,
    /// Tenants hosted in Switzerland.
    Swa,
    /// Tenants hosted in India.
    Ina,
}

impl Region {
    /// All regions, in the order of the documentation.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_tenant_is_kept_under_a_name_that_contains_its_slug() {
        let entra = EntraTenantId(Uuid::from_u128(0x2f1c_0a5e << 96));
        for (slug, entra, number, kept) in [
            ("contoso", Some(entra), 1, "contoso.2f1c0a5e"),
            ("contoso", Some(entra), 2, "contoso.2f1c0a5e-2"),
            ("a.b-c", None, 1, "a.b-c.removed"),
            ("a", None, 30, "a.removed-30"),
        ] {
            assert_eq!(TenantId::kept(slug, entra, number), kept);
            assert_eq!(TenantId::parse(kept).unwrap().former(), Some(slug));
        }
        let longest = "x".repeat(NAME_BYTES_MAX);
        assert!(TenantId::parse(&TenantId::kept(&longest, Some(entra), 7)).is_ok());
        for other in ["contoso", "a.b", "a.2f1c0a5", "a.removedx", "a.removed-x", "a.2f1c0a5g"] {
            assert_eq!(TenantId::parse(other).unwrap().former(), None, "{other}");
        }
    }
}
