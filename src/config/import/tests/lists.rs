//! Lists as other programs export them.

use super::*;
use crate::domain::Cloud;

/// A program, its columns, its rows, and what becomes of them.
type List = (&'static str, &'static str, String, &'static [&'static str]);

const SAME: &[&str] = &["new contoso-ltd", "merged -"];
const ONE: &[&str] = &["new contoso-ltd"];
/// A GUID of something else.
const OTHER: &str = "11111111-0000-4000-8000-000000000001";

fn of_partner_center_cipp_and_graph() -> Vec<List> {
    let (c, f, x) = (CONTOSO, FABRIKAM, OTHER);
    vec![
        (
            "Partner Center: a dual partner's customers come once for each relationship",
            "Microsoft ID,Company name,Primary domain name,Relationship,Tags",
            format!("{c},Contoso Ltd,contoso.onmicrosoft.com,Cloud Reseller,\n{c},Contoso Ltd,,Indirect Reseller,x"),
            SAME,
        ),
        (
            "Get-PartnerCustomer | Export-Csv",
            "\"AllowDelegatedAccess\",\"AssociatedPartnerId\",\"BillingProfile\",\"CustomerId\",\"Domain\",\"Name\"",
            format!("\"True\",,,\"{c}\",\"c.example\",\"Contoso Ltd\""),
            ONE,
        ),
        (
            "CIPP, tenants",
            "\"displayName\",\"defaultDomainName\",\"customerId\",\"initialDomainName\",\"Excluded\"",
            format!("\"Contoso Ltd\",\"c.example\",\"{c}\",\"c.onmicrosoft.com\",\"False\""),
            ONE,
        ),
        (
            "Microsoft Graph, GET /contracts",
            "id,contractType,customerId,defaultDomainName,displayName",
            format!("{f},Contract,{c},c.example,Contoso Ltd"),
            ONE,
        ),
        (
            "Get-MgContract | Export-Csv",
            "\"ContractType\",\"CustomerId\",\"DefaultDomainName\",\"DeletedDateTime\",\"DisplayName\",\"Id\",\"AdditionalProperties\"",
            format!(
                "\"Contract\",\"{c}\",\"c.example\",,\"Contoso Ltd\",\"{x}\",\"System.Collections.Generic.Dictionary\""
            ),
            ONE,
        ),
        (
            "the same, of which somebody selected three columns",
            "customerId,displayName,id",
            format!("{c},Contoso Ltd,{x}"),
            ONE,
        ),
    ]
}

fn of_older_modules_and_gdap() -> Vec<List> {
    let (c, f, x) = (CONTOSO, FABRIKAM, OTHER);
    vec![
        (
            "Get-AzureADContract | Export-Csv",
            "\"DeletionTimestamp\",\"ObjectId\",\"ObjectType\",\"ContractType\",\"CustomerContextId\",\"DefaultDomainName\",\"DisplayName\"",
            format!(",\"{x}\",\"Contract\",\"Contract\",\"{c}\",\"c.example\",\"Contoso Ltd\""),
            ONE,
        ),
        (
            "Get-MsolPartnerContract | Export-Csv",
            "#TYPE Microsoft.Online.Administration.PartnerContract\n\"ExtensionData\",\"ContractType\",\"DefaultDomainName\",\"Name\",\
             \"ObjectId\",\"PartnerContext\",\"TenantId\"",
            format!("\"x\",\"y\",\"c.example\",\"Contoso Ltd\",\"{f}\",,\"{c}\""),
            ONE,
        ),
        (
            "GDAP, customers",
            "\"DisplayName\",\"Id\",\"ServiceManagementDetails\",\"TenantId\",\"AdditionalProperties\"",
            format!("\"Contoso Ltd\",\"{c}\",,\"{c}\",\"System.Collections.Generic.Dictionary\""),
            ONE,
        ),
        (
            "GDAP, relationships: several with one customer, each with a name of its own",
            "id,displayName,customer.tenantId,customer.displayName,status,duration,endDateTime",
            format!(
                "{x}-{f},GDAP readers,{c},Contoso Ltd,active,P730D,2027-03-01\n{f}-{x},GDAP admins,{c},Contoso Ltd,active,P730D,"
            ),
            SAME,
        ),
    ]
}

#[test]
fn lists_of_other_programs_are_understood_as_they_are() {
    let lists = [of_partner_center_cipp_and_graph(), of_older_modules_and_gdap()].concat();
    for (program, columns, lines, rows) in lists {
        let (type_line, header) = columns.split_once('\n').map_or(("", columns), |(first, header)| (first, header));
        let type_line = if type_line.is_empty() { String::new() } else { format!("{type_line}\n") };
        for header in [header.to_owned(), header.to_lowercase(), header.to_uppercase()] {
            let list = format!("{type_line}{header}\n{lines}\n");
            let desk = Desk::new();
            let plan = desk.plan(list.as_bytes());
            // Not even a warning: nobody has to tidy up a list that is as its program wrote it.
            assert_eq!(complaints(&plan.problems), [""; 0], "{program}: {list}");
            assert_eq!(outcomes(&plan), rows, "{program}: {list}");
            assert_eq!(plan.lines[0].name, "Contoso Ltd", "{program}");
            assert_eq!(plan.lines[0].tenant_id.map(|id| id.to_string()).as_deref(), Some(CONTOSO), "{program}");
        }
    }
}

#[test]
fn items_on_one_line_are_distinguished_by_their_number() {
    let contract = |id: &str, name: &str| format!("{{\"customerId\":\"{id}\",\"displayName\":\"{name}\"}}");
    let (one, other) = (contract(CONTOSO, "Contoso"), contract(CONTOSO, "Contosö"));
    let plan = Desk::new().plan(format!("{{\"value\":[{one},{one}]}}").as_bytes());
    assert_eq!(complaints(&plan.problems), [""; 0]);
    assert_eq!(outcomes(&plan), ["new contoso", "merged -"]);
    assert_eq!(plan.lines.iter().map(|line| (line.line, line.item)).collect::<Vec<_>>(), [(1, Some(1)), (1, Some(2))]);
    let plan = Desk::new().plan(format!("{{\"value\":[{other},{one}]}}").as_bytes());
    let second = format!("{{\"value\":[{other},").chars().count() + 1;
    let said = format!("list.csv:1:{second}: item 1 has the same `tenant_id` and another name");
    assert_eq!(complaints(&plan.problems), [said]);
}

#[test]
fn a_relationship_that_is_over_makes_no_tenant() {
    let columns = "id,customer.tenantId,customer.displayName,status";
    let left_out = "list.csv:2:83: the relationship with `Contoso` is terminated, so this customer is not imported";
    for (states, rows, said) in [
        (&["terminated"][..], &["ended -"][..], &[left_out][..]),
        (&["terminated", "Expired"], &["ended -", "ended -"], &[left_out]),
        (&["terminated", "active"], &["ended -", "new contoso"], &[]),
        (&["active", "terminated"], &["new contoso", "ended -"], &[]),
        (&["terminationRequested", "active"], &["new contoso", "merged -"], &[]),
    ] {
        let rows_of = |state: &&str| format!("{OTHER},{CONTOSO},Contoso,{state}\n");
        let list = format!("{columns}\n{}", states.iter().map(rows_of).collect::<String>());
        let plan = Desk::new().plan(list.as_bytes());
        assert_eq!((outcomes(&plan), complaints(&plan.problems)), (to_owned(rows), to_owned(said)), "{list}");
        assert!(plan.is_good());
    }
    // Of other lists nobody knows what a status means.
    let plan = Desk::new().plan(format!("id,tenant_id,status\ncontoso,{CONTOSO},terminated\n").as_bytes());
    assert_eq!(outcomes(&plan), ["new contoso"]);
}

fn to_owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_consent_link_leads_to_the_cloud_of_the_tenant() {
    let app = "6d2a0000-0000-4000-8000-000000000002";
    for (cloud, of_all, host) in [
        ("", None, "login.microsoftonline.com"),
        ("gcc", None, "login.microsoftonline.com"),
        ("gcc-high", None, "login.microsoftonline.us"),
        ("dod", None, "login.microsoftonline.us"),
        ("", Some(Cloud::GccHigh), "login.microsoftonline.us"),
        ("commercial", Some(Cloud::Dod), "login.microsoftonline.com"),
    ] {
        let desk = Desk::new();
        let list = format!("Microsoft ID,Company name,cloud\n{CONTOSO},Contoso,{cloud}\n");
        let (config, labels, kept) = (desk.path("scorewatch.yaml"), Labels::new(), BTreeMap::new());
        let wish = Wish { config: &config, list: Path::new("list.csv"), folder: None, labels, cloud: of_all, kept };
        let plan = plan(&wish, list.as_bytes()).unwrap();
        let link = format!("https://{host}/{CONTOSO}/adminconsent?client_id={app}");
        assert_eq!(plan.lines[0].consent_link, Some(link), "{cloud} {of_all:?}");
    }
}

#[test]
fn an_answer_of_graph_is_read_as_it_is() {
    let context = "\"@odata.context\": \"https://graph.microsoft.com/v1.0/$metadata#contracts\"";
    let contract = |id: &str, name: &str| {
        format!(
            "{{ \"id\": \"{OTHER}\", \"deletedDateTime\": null, \"contractType\": \"Contract\",\n    \"customerId\": \"{id}\", \
             \"displayName\": \"{name}\", \"defaultDomainName\": \"c.example\" }}"
        )
    };
    let one = contract(CONTOSO, "Contoso \\\"Ltd\\\"");
    let relationship = format!(
        "{{ \"id\": \"{OTHER}-{OTHER}\", \"displayName\": \"GDAP\", \"status\": \"active\", \"accessDetails\": {{ \"unifiedRoles\": [{{}}] }}, \
         \"customer\": {{ \"tenantId\": \"{CONTOSO}\", \"displayName\": \"Contoso \\\"Ltd\\\"\" }} }}"
    );
    for (list, rows, said) in [
        (format!("{{ {context}, \"value\": [{one}] }}"), &["new contoso-ltd"][..], &[][..]),
        (format!("\u{feff}\n[{one}, {one}]"), &["new contoso-ltd", "merged -"], &[]),
        (format!("{{ \"value\": [{relationship}] }}"), &["new contoso-ltd"], &[]),
        (
            format!("{{ {context}, \"@odata.nextLink\": \"https://graph.microsoft.com/x\", \"value\": [{one}] }}"),
            &["new contoso-ltd"],
            &["list.csv:1:1: this is one page of several: it has an `@odata.nextLink`, so customers are missing"],
        ),
        (
            format!("{{ \"value\": [\n  {one},\n  {} ] }}", contract("x", "Fabrikam")),
            &["new contoso-ltd", "refused -"],
            &["list.csv:4:3: this is not a GUID"],
        ),
        (
            "{ \"error\": { \"code\": \"Forbidden\" } }".to_owned(),
            &[],
            &["list.csv:1:1: there is no array under `value`"],
        ),
        ("{ \"value\": [] }".to_owned(), &[], &["list.csv:1:1: the list is empty"]),
        ("[1]".to_owned(), &[], &["list.csv:1:1: a customer is an object"]),
        ("{ \"value\": [".to_owned(), &[], &["list.csv:1:12: from here on, this is not JSON"]),
    ] {
        let plan = Desk::new().plan(list.as_bytes());
        assert_eq!(complaints(&plan.problems), said, "{list}");
        assert_eq!(outcomes(&plan), rows, "{list}");
        for line in plan.lines.iter().filter(|line| line.outcome == Outcome::New) {
            assert_eq!(
                (line.name.as_str(), line.tenant_id.map(|id| id.to_string())),
                ("Contoso \"Ltd\"", Some(CONTOSO.into()))
            );
        }
    }
}

#[test]
fn a_domain_of_a_national_cloud_is_not_imported_as_another_clouds() {
    let us = "list.csv:2:46: a domain that ends with `.onmicrosoft.us` is in GCC High or DoD, and not in the commercial cloud or GCC";
    let china = "list.csv:2:46: a domain that ends with `.partner.onmschina.cn` is in the cloud that 21Vianet operates in China, which \
                 has no name here";
    for (domain, cloud, said) in [
        ("contoso.onmicrosoft.us", "", Some(us)),
        ("Contoso.OnMicrosoft.US", "gcc", Some(us)),
        ("contoso.onmicrosoft.us", "gcc-high", None),
        ("contoso.onmicrosoft.us", "dod", None),
        ("contoso.onmicrosoft.com", "", None),
        ("onmicrosoft.us.example", "", None),
        ("contoso.partner.onmschina.cn", "", Some(china)),
    ] {
        let list = format!("customerId,displayName,defaultDomainName,cloud\n{CONTOSO},Contoso,{domain},{cloud}\n");
        let plan = Desk::new().plan(list.as_bytes());
        assert_eq!(complaints(&plan.problems), to_owned(said.as_slice()), "{list}");
        let link = plan.lines[0].consent_link.as_deref().unwrap_or_default();
        let host =
            said.is_none().then_some(if cloud.is_empty() { "microsoftonline.com" } else { "microsoftonline.us" });
        assert_eq!(host.is_some(), !link.is_empty(), "{list}");
        assert!(link.contains(host.unwrap_or_default()), "{link}");
    }
}
