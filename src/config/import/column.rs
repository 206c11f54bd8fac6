//! What the columns of a list mean, by their names.
//!
//! Several lists are understood: our own, and those that others export. "Get customers" (Partner Center, Cloud
//! Solution Provider: <https://learn.microsoft.com/en-us/previous-versions/azure/cloud-solution-provider/integration/manage-customers/get-customers>)
//! names its columns: `Microsoft ID`, `Company name`, `Primary domain name`, `Relationship` and `Tags`; "Get partners of a customer" says
//! that the Microsoft ID is the customer's tenant id. `Export-Csv` of the module's `Get-PartnerCustomer` has `CustomerId`,
//! `Name`, `Domain`. Microsoft Graph's contracts and the tenants of CIPP have `customerId`, `displayName`, `defaultDomainName`;
//! `Get-AzureADContract` calls the first `CustomerContextId`. `Get-MsolPartnerContract` has `TenantId`, `Name`,
//! `DefaultDomainName`. Customers of GDAP have `TenantId`, `DisplayName`; its relationships have `customer.tenantId`,
//! `customer.displayName`, and a `displayName` of their own.

/// What the name of a column of labels begins with.
const LABEL: &str = "label";

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// The column with the tenant's slug.
    Id,
    /// The column with the tenant's display name.
    Name,
    /// The directory (tenant) id.
    TenantId,
    /// The primary domain; a slug may come from it.
    Domain,
    /// Whether a relationship with the customer still holds.
    Status,
    /// The column with the tenant's national cloud.
    Cloud,
    /// The nearer API host.
    Region,
    /// An app of the tenant's own.
    ClientId,
    /// Where its client secret is kept: an environment variable.
    SecretEnv,
    /// The same: a file.
    SecretFile,
    /// The same: a systemd credential.
    SecretCredential,
    /// Where its certificate is kept.
    CertificateFile,
    /// The column with several labels: `tier=gold country=de`.
    Labels,
    /// A column with the values of one label.
    Label(String),
}

/// What a column's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heading {
    /// A column that is used.
    Used(Column),
    /// Known, and of no use here.
    Idle,
    /// A column that is not imported.
    Unknown,
    /// A secret itself stands below it.
    Secret,
}

/// Columns of lists that others export which say nothing of use here.
const IDLE: [&str; 29] = [
    "accessdetails",
    "additionalproperties",
    "allowdelegatedaccess",
    "allowpartnerdelegatedaccess",
    "associatedpartnerid",
    "autoextendduration",
    "billingprofile",
    "companyprofile",
    "contractid",
    "contracttype",
    "customertype",
    "deleteddatetime",
    "deletiontimestamp",
    "duration",
    "enddatetime",
    "excluded",
    "extensiondata",
    "initialdomainname",
    "objectid",
    "objecttype",
    "operations",
    "partnercontext",
    "relationship",
    "relationshipid",
    "relationshiptopartner",
    "requests",
    "servicemanagementdetails",
    "tags",
    "verificationcode",
];

/// Reads a column's name. Case, blanks, `_`, `-` and `.` make no difference: `TenantId`, `tenant_id` and `Tenant ID` are one.
pub(super) fn heading(written: &str) -> Heading {
    if let Some(key) = label_key(written.trim()) {
        return if key.is_empty() { Heading::Unknown } else { Heading::Used(Column::Label(key.to_owned())) };
    }
    let plain: String = written
        .to_lowercase()
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-' | '.'))
        .collect();
    let column = match plain.as_str() {
        "id" => Column::Id,
        "name"
        | "companyname"
        | "customername"
        | "displayname"
        | "tenantname"
        | "tenantdisplayname"
        | "customerdisplayname" => Column::Name,
        "tenantid" | "microsoftid" | "customerid" | "customercontextid" | "customertenantid" | "directoryid"
        | "directorytenantid" => Column::TenantId,
        "primarydomainname" | "primarydomain" | "domain" | "domainname" | "defaultdomainname" | "defaultdomain" => {
            Column::Domain
        }
        "status" => Column::Status,
        "cloud" => Column::Cloud,
        "region" => Column::Region,
        "clientid" | "applicationid" | "appid" => Column::ClientId,
        "secretenv" => Column::SecretEnv,
        "secretfile" => Column::SecretFile,
        "secretcredential" => Column::SecretCredential,
        "certificatefile" => Column::CertificateFile,
        "labels" => Column::Labels,
        plain if IDLE.contains(&plain) => return Heading::Idle,
        plain if ["secret", "password", "privatekey"].iter().any(|word| plain.contains(word)) => {
            return Heading::Secret;
        }
        _ => return Heading::Unknown,
    };
    Heading::Used(column)
}

/// Whether a column is named after a customer, and not after a relationship to one.
pub(super) fn is_of_customer(written: &str) -> bool {
    written.trim().to_lowercase().starts_with("customer")
}

/// The key of a label's column, as it is written behind `label:`.
fn label_key(written: &str) -> Option<&str> {
    let (word, key) = (written.get(..LABEL.len())?, written.get(LABEL.len()..)?);
    let key = key.strip_prefix([':', '.', ' ', '_', '-'])?;
    word.eq_ignore_ascii_case(LABEL).then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_heading_is_a_column_or_none(
            written in "[ \u{feff}\"]{0,2}(label|LABEL|labelİ|İlabel|Kabel)?[:._ -]?\\PC{0,40}",
            odd in any::<String>(),
        ) {
            for written in [written, odd.clone(), format!("label:{odd}"), format!("{odd}label:{odd}")] {
                if let Heading::Used(Column::Label(key)) = heading(&written) {
                    prop_assert!(!key.is_empty() || written.trim().len() <= 6, "{written:?}");
                }
            }
        }
    }

    #[test]
    fn columns_are_known_by_their_names_however_they_are_written() {
        use Column as C;
        for (written, column) in [
            ("Microsoft ID", C::TenantId),
            ("microsoft id", C::TenantId),
            ("tenant_id", C::TenantId),
            ("CustomerId", C::TenantId),
            ("Company name", C::Name),
            (" Primary domain name ", C::Domain),
            ("Client-ID", C::ClientId),
            ("secret_file", C::SecretFile),
            ("TenantId", C::TenantId),
            ("customerId", C::TenantId),
            ("displayName", C::Name),
            ("DisplayName", C::Name),
            ("defaultDomainName", C::Domain),
            ("customer.tenantId", C::TenantId),
            ("customer.displayName", C::Name),
            ("label:Tier", C::Label("Tier".to_owned())),
            ("label.country", C::Label("country".to_owned())),
        ] {
            assert_eq!(heading(written), Heading::Used(column), "{written}");
        }
        for idle in
            ["Relationship", "Tags", "contractType", "ServiceManagementDetails", "ExtensionData", "PartnerContext"]
        {
            assert_eq!(heading(idle), Heading::Idle, "{idle}");
        }
        for secret in ["secret", "Client Secret", "client_secret_value", "Password", "private key"] {
            assert_eq!(heading(secret), Heading::Secret, "{secret}");
        }
        // Letters that take more or fewer bytes in lower case.
        for key in ["\u{130}", "\u{130}\u{130}\u{130}", "\u{212A}x", "\u{1E9E}", "ǅ", "\u{3A3}"] {
            assert_eq!(heading(&format!("label:{key}")), Heading::Used(C::Label(key.to_owned())), "{key}");
            for before in ["LABEL", "label\u{130}:", "\u{130}label:", "lab\u{130}l:", ""] {
                heading(&format!("{before}{key}"));
            }
        }
        for unknown in ["", "Phone", "label:", "İd", "label:\u{130}"] {
            assert!(!matches!(heading(unknown), Heading::Used(C::Id | C::Name)), "{unknown}");
        }
    }
}
