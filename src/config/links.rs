//! Where a message leads: to the pages of our dashboard, and to pages of Microsoft's portal that open the message's own tenant.

use super::Config;
use crate::{
    channel::ChannelSettings,
    notify::{
        Notification, NotificationType,
        notification::{Data, Facts},
    },
    oidc::Reach,
};

/// By which parameter a page of Microsoft's portal opens a tenant, whichever the reader is signed in to.
const TENANT: &str = "tid";

impl Config {
    /// Completes the links of a message right before it is written, so that those of the configuration in force are shown. A link to
    /// an alert's page holds nothing but the alert's id, and the page asks for a sign-in: it may stand in any channel.
    pub fn complete_links(&self, channel: &ChannelSettings, notification: &mut Notification) {
        let (kind, data) = (notification.kind, &mut notification.data);
        self.open_own_tenant(data);
        let Some(base) = self.shown_url() else { return };
        let page = match (kind, &data.fleet) {
            (NotificationType::FleetShift, Some(shift)) if !shift.id.is_empty() => {
                Some(format!("{base}/alerts?shift={}", shift.id))
            }
            (NotificationType::Digest | NotificationType::FleetShift, _) => Some(format!("{base}/alerts")),
            // A message about a channel is about no alert. The channel itself may not be the one that it is sent on.
            (NotificationType::OperatorChannel, _) => Some(format!("{base}/channels")),
            // What ends a silence, and what says how the service is.
            (NotificationType::OperatorSilence, _) => Some(format!("{base}/silences")),
            (NotificationType::OperatorDowntime, _) => Some(format!("{base}/system")),
            (NotificationType::MonthReport, _) => self.month_page(base, channel, data),
            _ => alert_page(base, data),
        };
        data.links.dashboard = page.or_else(|| data.links.dashboard.take());
        for item in &mut data.items {
            item.facts.links.dashboard = alert_page(base, &item.facts);
        }
    }

    /// The page of the tenant whose month this is, if those who read the channel can sign in and see it: the staff, to whom a channel for
    /// several tenants belongs, or people of the tenant, if a grant is about their tenant.
    fn month_page(&self, base: &str, channel: &ChannelSettings, data: &Data) -> Option<String> {
        let tenant = self.tenants.get(data.tenant.as_ref()?.id.as_str())?;
        let shown = self.tenants.values().filter(|one| channel.audience.admits(&one.id, &one.labels)).count();
        let grants = self.access.oidc.iter().flat_map(|oidc| &oidc.grants);
        let mut of_some = grants.filter(|grant| grant.reach != Reach::All);
        let is_of_staff = channel.audience.is_open() || shown > 1;
        let is_seen =
            is_of_staff || of_some.any(|grant| grant.reach.scope([(&tenant.id, &*tenant.labels)]).includes(&tenant.id));
        is_seen.then(|| format!("{base}/tenants/{}", tenant.id))
    }

    /// Lets what regressed be shown by the portal for the message's tenant.
    fn open_own_tenant(&self, data: &mut Data) {
        let Some(id) = data.facts.tenant.as_ref().and_then(|tenant| tenant.tenant_id.clone()) else { return };
        let portals: Vec<&str> = self.tenants.values().map(|tenant| tenant.account.hosts.portal.as_str()).collect();
        for link in data.causes.iter_mut().filter_map(|cause| cause.link.as_mut()) {
            let Ok(mut url) = url::Url::parse(link) else { continue };
            let is_portal = portals.contains(&url.origin().ascii_serialization().as_str());
            if is_portal && !url.query_pairs().any(|(name, _)| name == TENANT) {
                url.query_pairs_mut().append_pair(TENANT, &id);
                *link = url.into();
            }
        }
    }
}

/// The page of the alert that these facts are about; `None`: they are about none that has a page.
fn alert_page(base: &str, facts: &Facts) -> Option<String> {
    let alert = facts.alert.as_ref().filter(|_| facts.tenant.is_some() && !facts.notification.test)?;
    Some(format!("{base}/alerts/{}", alert.id))
}

#[cfg(test)]
mod tests {
    use crate::{
        config::load,
        notify::{Notification, NotificationType},
        template::sample,
    };

    fn completed(public_url: &str, kind: NotificationType) -> Notification {
        let channel = "{ type: webhook, url: 'https://a.example/' }";
        completed_for(&format!("{public_url}\nchannels: {{ soc: {channel} }}"), kind)
    }

    fn completed_for(more: &str, kind: NotificationType) -> Notification {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scorewatch.yaml");
        let tenant = "{ id: contoso, name: Contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, \
                      credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { env: X } } }";
        let text = format!("store: sqlite://s.db\nschedule: \"0 */15 * * * *\"\n{more}\ntenants: [{tenant}]\n");
        std::fs::write(&file, text).unwrap();
        let loaded = load(&file);
        let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let mut notification = sample::notification(kind, "Contoso Ltd");
        notification.data.links.dashboard = None;
        for item in &mut notification.data.items {
            item.facts.links.dashboard = None;
        }
        config.complete_links(&config.channels["soc"], &mut notification);
        notification
    }

    const SHIFT: &str = "https://scores.mssp.example/alerts?shift=msg_7RPHVT7HTSZF9PC2VBBZCF6KV2";

    #[test]
    fn a_message_links_to_its_alert_and_a_digest_to_all_and_each_line_to_its_own() {
        let url = "public_url: https://scores.mssp.example";
        let alert = "https://scores.mssp.example/alerts/alert_0123456789ABCDEFGHJKMNPQRS";
        for (kind, page, of_lines) in [
            (NotificationType::AlertFiring, Some(alert), None),
            (NotificationType::AlertEscalated, Some(alert), None),
            (NotificationType::AlertResolved, Some(alert), None),
            (NotificationType::Digest, Some("https://scores.mssp.example/alerts"), Some(alert)),
            (NotificationType::FleetShift, Some(SHIFT), Some(alert)),
            (NotificationType::OperatorChannel, Some("https://scores.mssp.example/channels"), None),
            (NotificationType::OperatorSilence, Some("https://scores.mssp.example/silences"), None),
            (NotificationType::OperatorDowntime, Some("https://scores.mssp.example/system"), None),
            (NotificationType::Drill, None, None),
        ] {
            let data = completed(url, kind).data;
            assert_eq!(data.links.dashboard.as_deref(), page, "{kind:?}");
            let first = data.items.iter().find_map(|item| item.links.dashboard.as_deref());
            assert_eq!(first, of_lines, "{kind:?}");
        }
    }

    #[test]
    fn without_a_public_url_or_without_tls_nothing_links_to_us() {
        for url in ["", "public_url: http://127.0.0.1:8080"] {
            assert_eq!(completed(url, NotificationType::AlertFiring).data.links.dashboard, None, "{url}");
        }
    }

    #[test]
    fn a_report_links_to_its_tenant_where_those_who_read_it_can_see_that() {
        let channel = |audience: &str| {
            let channel = format!("{{ type: webhook, url: 'https://a.example/'{audience} }}");
            format!("public_url: https://scores.mssp.example\nchannels: {{ soc: {channel} }}")
        };
        let grant = |tenants: &str| {
            format!(
                "access: {{ oidc: {{ issuer: 'https://sso.mssp.example', client_id: x, client_secret: {{ env: X }}, \
                 grants: [{{ group: it, role: viewer, tenants: {tenants} }}] }} }}"
            )
        };
        for (audience, grants, is_linked) in [
            ("", String::new(), true),
            (", tenants: [contoso]", String::new(), false),
            (", tenants: [contoso]", grant("all"), false),
            (", tenants: [contoso]", grant("[contoso]"), true),
        ] {
            let text = format!("{}\n{grants}", channel(audience));
            let completed = completed_for(&text, NotificationType::MonthReport);
            let page = completed.data.links.dashboard.as_deref();
            assert_eq!(page.is_some(), is_linked, "{audience} {grants}");
            assert!(page.is_none_or(|page| page == "https://scores.mssp.example/tenants/contoso"));
        }
    }

    #[test]
    fn a_cause_opens_the_message_s_own_tenant_in_microsoft_s_portal() {
        let data = completed("", NotificationType::AlertFiring).data;
        let link = data.causes.iter().find_map(|cause| cause.link.as_deref()).unwrap();
        assert_eq!(link, "https://security.microsoft.com/vulnerabilities?tid=2f1c0a5e-0000-4000-8000-000000000001");
    }
}
