//! Removes everything of one tenant from a database's tables.

use super::{open, settings::PostgresSettings, write::Session};
use crate::{
    domain::{ChannelName, TenantId},
    store::{
        NewEntry,
        sql::{
            WriteAccess,
            erase::{self, EraseError, Erased, Erasure},
        },
    },
};

/// Erases a tenant that is missing from the configuration, named by the name under which the store keeps it or by its Entra id.
/// Works beside a running service. `dry_run`: only counts. Channels in `configured` keep what is known of them, whatever they are
/// called. `entry` records it in the audit log; it must not name the tenant. What the server's files, its log and its backups still have
/// of it is the server's.
///
/// # Errors
/// [`EraseError`]. A failure half-way leaves some of it erased; doing it again erases the rest.
pub async fn erase(
    settings: &PostgresSettings,
    tenant: &str,
    configured: &[ChannelName],
    dry_run: bool,
    entry: &NewEntry,
) -> Result<(TenantId, Erased), EraseError> {
    let mut connection = open::connect_beside(settings).await?;
    let is_served = super::lease::is_held(&mut connection).await?;
    let mut access = Session::beside(settings, connection);
    let what = Erasure { tenant, configured, is_served, dry_run, entry };
    let done = erase::from_tables(&mut access, &what).await;
    Box::new(access).close(false).await;
    done.map(|(id, erased, _)| (id, erased))
}
