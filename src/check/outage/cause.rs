//! What many tenants can have in common that makes them unreadable at once.

use std::fmt::Write;

use uuid::Uuid;

use crate::{config::Tenant, microsoft::FailureClass, notify::facts::wording::Spread, store::Outage};

/// A reason that is not the tenant's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Microsoft's service, or the way to it.
    Service,
    /// The clock of this machine is wrong.
    Clock,
    /// A proxy on our side.
    Proxy,
    /// Entra or the APIs refuse all alike, or we fail at all alike, in a way that says nothing of a tenant.
    Refusal(FailureClass),
    /// The credential of an app.
    Credential(Uuid),
    /// An app itself: gone, disabled, or asked for in a wrong way.
    App(Uuid),
}

impl Cause {
    /// What a tenant that fails by that class may have in common with others; `None`: the reason is its own.
    #[must_use]
    pub fn of(tenant: &Tenant, class: &str) -> Option<Self> {
        use FailureClass as Class;
        let app = tenant.account.app.client_id;
        let class = FailureClass::from_name(class)?;
        Some(match class {
            Class::MicrosoftDown | Class::Unreachable | Class::Throttled | Class::Garbage | Class::CheckTimeout => {
                Self::Service
            }
            Class::ClockWrong => Self::Clock,
            Class::ProxyRestricts => Self::Proxy,
            Class::TokenRefused | Class::SignInRefused | Class::CallRefused | Class::InternalError => {
                Self::Refusal(class)
            }
            Class::SecretUnreadable
            | Class::SecretWrong
            | Class::SecretExpired
            | Class::CertificateUnknown
            | Class::FederationUnmatched => Self::Credential(app),
            Class::ConsentMissing | Class::AppDisabled | Class::ConfigurationWrong => Self::App(app),
            Class::TenantNotFound
            | Class::NotOnboarded
            | Class::RoleMissing
            | Class::LicenceMissing
            | Class::PolicyBlocked
            | Class::TenantBlocked
            | Class::AnswerTooLarge
            | Class::NoData => return None,
        })
    }

    /// Its text form in the store.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        // Writing to a `String` can't fail.
        let _ = match self {
            Self::Service => key.write_str("service"),
            Self::Clock => key.write_str("clock"),
            Self::Proxy => key.write_str("proxy"),
            Self::Refusal(class) => write!(key, "refusal {class}"),
            Self::Credential(app) => write!(key, "credential {app}"),
            Self::App(app) => write!(key, "app {app}"),
        };
        key
    }

    /// Reads what [`Cause::key`] wrote; `None`: another version wrote it.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let (kind, what) = key.split_once(' ').unwrap_or((key, ""));
        match kind {
            "service" => Some(Self::Service),
            "clock" => Some(Self::Clock),
            "proxy" => Some(Self::Proxy),
            "refusal" => FailureClass::from_name(what).map(Self::Refusal),
            "credential" => what.parse().ok().map(Self::Credential),
            "app" => what.parse().ok().map(Self::App),
            _ => None,
        }
    }

    /// Whether that outage is of this cause.
    pub(super) fn is(&self, outage: &Outage) -> bool {
        outage.cause == self.key()
    }

    /// What a message may say of it to whoever may see one tenant only: no name and no number.
    #[must_use]
    pub const fn spread(&self) -> Spread {
        match self {
            Self::Service => Spread::Outage,
            _ => Spread::Shared,
        }
    }
}
