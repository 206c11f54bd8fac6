//! What a channel may show, by the configuration in force, of something that was said of a tenant: perhaps long ago, perhaps of a
//! tenant that is gone, whose slug may belong to another by now.

use super::{Config, Tenant};
use crate::{channel::ChannelSettings, domain::TenantId, notify::notification::TenantFacts};

/// The tenant that a noted slug belongs to by now.
enum Whose<'a> {
    /// A tenant of the configuration.
    Configured(&'a Tenant),
    /// A tenant that is gone; with the one that has its slug now.
    Gone(Option<&'a Tenant>),
}

impl Config {
    /// Whether a channel may show what was noted of a tenant.
    ///
    /// A tenant is its Entra id. What is noted of one that is gone is shown by the labels that it had. It is shown to nobody who
    /// sees the tenant that has its slug now and not everybody: they may be that tenant's own people.
    #[must_use]
    pub fn admits(&self, channel: &ChannelSettings, tenant: &TenantId, noted: Option<&TenantFacts>) -> bool {
        let audience = &channel.audience;
        match self.whose(tenant, noted) {
            Whose::Configured(tenant) => audience.admits(&tenant.id, &tenant.labels),
            Whose::Gone(_) if audience.is_open() => true,
            Whose::Gone(holder) => {
                let labels = noted.map(|noted| noted.labels.clone()).unwrap_or_default();
                audience.admits(tenant, &labels)
                    && !holder.is_some_and(|holder| audience.admits(&holder.id, &holder.labels))
            }
        }
    }

    fn whose(&self, tenant: &TenantId, noted: Option<&TenantFacts>) -> Whose<'_> {
        let of_slug = self.tenants.get(tenant).map(AsRef::as_ref);
        let noted = noted.and_then(|facts| facts.tenant_id.as_deref());
        let is_noted = |one: &&Tenant| noted.is_none_or(|noted| one.account.entra.to_string() == noted);
        if let Some(same) = of_slug.filter(is_noted) {
            return Whose::Configured(same);
        }
        let elsewhere = noted.and_then(|_| self.tenants.values().map(AsRef::as_ref).find(is_noted));
        match elsewhere {
            Some(renamed) => Whose::Configured(renamed),
            None => Whose::Gone(of_slug.or_else(|| self.tenants.get(tenant.former()?).map(AsRef::as_ref))),
        }
    }
}
