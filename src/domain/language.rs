//! Languages in which a customer can be written to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language in which a customer can be written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, as written in the United States.
    #[default]
    En,
    /// German as written in Germany.
    De,
    /// French as written in France.
    Fr,
}

impl Language {
    /// Every language in which messages can be written.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Fr];

    /// Its ISO 639-1 code, which is also its name in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }

    /// Its name in English.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "German",
            Self::Fr => "French",
        }
    }

    /// The language that people call that: by its name, in English or its own, or by its code with a country.
    #[must_use]
    pub fn called(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let code = text.split(['-', '_']).next().unwrap_or_default();
        let own = |language| match language {
            Self::En => ["english", "eng"],
            Self::De => ["deutsch", "ger"],
            Self::Fr => ["français", "francais"],
        };
        let is_called = |language: &Self| {
            language.as_str() == code || language.name().to_lowercase() == text || own(*language).contains(&&*text)
        };
        Self::ALL.into_iter().find(is_called)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
