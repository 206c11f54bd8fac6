//! Hosts and scopes of each national cloud.

/// Where a tenant's calls go, and the scopes that its tokens are asked for. Base URLs without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hosts {
    /// Entra: `https://login.microsoftonline.com`.
    pub login: String,
    /// Defender for Endpoint: `https://api.security.microsoft.com`.
    pub defender: String,
    /// The scope of Defender tokens. Not derived from the host: in the commercial cloud they differ ("Create an app", Defender for Endpoint API).
    pub defender_scope: String,
    /// Microsoft Graph: `https://graph.microsoft.com`.
    pub graph: String,
    /// The scope of Graph tokens.
    pub graph_scope: String,
    /// The security portal that people open: `https://security.microsoft.com`.
    pub portal: String,
    /// Whether these are overridden hosts on loopback, for a simulation.
    pub loopback: bool,
}
