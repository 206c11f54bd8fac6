//! What becomes of lists. A folder with a configuration, a list, and what is there afterwards.

mod lists;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    config::load,
    diagnostic::Problem,
    domain::{EntraTenantId, Labels, TenantId},
};

const CONTOSO: &str = "2f1c0a5e-0000-4000-8000-000000000001";
const FABRIKAM: &str = "2f1c0a5e-0000-4000-8000-000000000002";

struct Desk(tempfile::TempDir);

impl Desk {
    /// One app for all tenants, no tenant.
    fn new() -> Self {
        Self::with(
            "store: sqlite://s.db\ntenants: [customers/*.yaml]\noperator: { notify: [soc] }\n\
             credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secret } }\n\
             channels: { soc: { type: webhook, url: https://soar.example/hook } }\n",
        )
    }

    fn with(main: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::write(desk.path("secret"), "hunter2").unwrap();
        fs::write(desk.path("scorewatch.yaml"), main).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn plan(&self, list: &[u8]) -> Plan {
        self.plan_with(list, None, Labels::new())
    }

    fn plan_with(&self, list: &[u8], folder: Option<&Path>, labels: Labels) -> Plan {
        self.plan_knowing(list, folder, labels, BTreeMap::new())
    }

    /// With a store that knows these tenants.
    fn plan_knowing(
        &self,
        list: &[u8],
        folder: Option<&Path>,
        labels: Labels,
        kept: BTreeMap<TenantId, Option<EntraTenantId>>,
    ) -> Plan {
        let (config, list_name) = (self.path("scorewatch.yaml"), Path::new("list.csv"));
        let wish = Wish { config: &config, list: list_name, folder, labels, cloud: None, kept };
        plan(&wish, list).unwrap_or_else(|loaded| panic!("{:?}", loaded.problems))
    }

    /// Plans and places; `outcome id` of each row.
    fn import(&self, list: &str) -> Vec<String> {
        let plan = self.plan(list.as_bytes());
        assert!(plan.is_good(), "{:#?}", plan.problems);
        place(&plan.files).unwrap();
        outcomes(&plan)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path("customers"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn outcomes(plan: &Plan) -> Vec<String> {
    let line = |line: &Line| {
        let id = line.id.as_ref().map_or("-", |id| id.as_str());
        format!("{:?} {id}", line.outcome).to_lowercase()
    };
    plan.lines.iter().map(line).collect()
}

fn complaints(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect()
}

#[test]
fn the_export_of_partner_center_becomes_tenants_however_it_is_encoded() {
    let plain = format!(
        "Microsoft ID,Company name,Primary domain name,Relationship\r\n\
         {CONTOSO},\"Contoso, Ltd\",contoso.onmicrosoft.com,Cloud Reseller\r\n\r\n\
         {FABRIKAM},Büro Köln,fabrikam.example,Cloud Reseller\r\n"
    );
    let quoted = plain.replace("Contoso, Ltd", "Contoso; Ltd");
    for list in [
        plain.clone(),
        plain.replace("\r\n", "\n"),
        format!("\u{feff}{plain}"),
        quoted.replace(',', ";").replace("Contoso; Ltd", "Contoso, Ltd"),
        plain.replace(',', "\t").replace("Contoso\t Ltd", "Contoso, Ltd"),
        format!("sep=,\r\n{plain}"),
        plain.replace("Microsoft ID,Company name", "MICROSOFT ID,company NAME"),
    ] {
        let desk = Desk::new();
        assert_eq!(desk.import(&list), ["new contoso-ltd", "new buero-koeln"], "{list}");
        let config = load(&desk.path("scorewatch.yaml")).config.unwrap();
        let tenant = &config.tenants["contoso-ltd"];
        assert_eq!((&*tenant.name, tenant.account.entra.to_string().as_str()), ("Contoso, Ltd", CONTOSO));
        assert_eq!(&*config.tenants["buero-koeln"].name, "Büro Köln");
    }
}

#[test]
fn a_second_import_changes_nothing_and_lists_the_differences() {
    let desk = Desk::new();
    let list = format!("tenant_id,name,labels,cloud\n{CONTOSO},Contoso,tier=gold,gcc\n");
    assert_eq!(desk.import(&list), ["new contoso"]);
    let before = fs::read(desk.path("customers/contoso.yaml")).unwrap();
    assert_eq!(desk.import(&list), ["known contoso"]);
    let plan = desk.plan(
        format!("tenant_id,name,labels,cloud\n{CONTOSO},Renamed,tier=silver,dod\n{FABRIKAM},Contoso,,\n").as_bytes(),
    );
    assert_eq!(outcomes(&plan), ["known contoso", "new contoso-2f1c0a5e"]);
    let differs = plan.lines[0].differs.join("; ");
    for part in ["name: `Renamed`", "label tier: `silver` in the list, `gold`", "cloud (by its portal)"] {
        assert!(differs.contains(part), "{differs}");
    }
    place(&plan.files).unwrap();
    assert_eq!(fs::read(desk.path("customers/contoso.yaml")).unwrap(), before);
    assert_eq!(desk.files(), ["contoso-2f1c0a5e.yaml", "contoso.yaml"]);
}

#[test]
fn every_bad_row_is_reported_with_its_place_and_nothing_is_written() {
    let desk = Desk::new();
    let list = format!(
        "tenant_id;name;id;cloud;client_id;secret_env;labels;Phone\n\
         {CONTOSO};Good;;;;;;\n\
         none;A;;;;;;\n\
         ;B;;;;;;\n\
         {CONTOSO};C;;;;;;\n\
         {FABRIKAM};D;Bad Id;mars;;;x;\n\
         2f1c0a5e-0000-4000-8000-000000000003;\"two\nlines\";;;;HIDDEN;;\n\
         2f1c0a5e-0000-4000-8000-000000000004;\u{202e}E;;;{FABRIKAM};;;\n\
         2f1c0a5e-0000-4000-8000-000000000005;;;;;;;;surplus\n\
         00000000-0000-0000-0000-000000000000;F;;;;;;\n"
    );
    let plan = desk.plan(list.as_bytes());
    assert!(!plan.is_good());
    let found = complaints(&plan.problems);
    for expected in [
        "list.csv:1:53: this column is not used",
        "list.csv:3:1: this is not a GUID",
        "list.csv:4:1: the directory (tenant) id is missing",
        "list.csv:5:38: line 2 has the same `tenant_id` and another name",
        "list.csv:6:40: a name can't contain 'B'",
        "list.csv:6:47: this is not a cloud",
        "list.csv:6:54: a label has a key and a value",
        "list.csv:7:38: character 4 is U+000A (line feed), which nobody can see",
        "list.csv:8:11: this secret belongs to no app",
        "list.csv:9:38: character 1 is U+202E (right-to-left override), which nobody can see",
        "list.csv:9:43: this app has nothing to prove itself with",
        "list.csv:10:38: the row does not say what the tenant is called",
        "list.csv:10:45: this row has 9 cells, and there are 8 columns",
        "list.csv:11:1: this is not a GUID",
    ] {
        assert!(found.iter().any(|reported| reported == expected), "{expected}\n{found:#?}");
    }
    assert_eq!(plan.lines.iter().filter(|line| line.outcome == Outcome::New).count(), 1);
    assert_eq!(desk.files(), [""; 0]);
}

#[test]
fn a_list_that_is_none_is_refused_in_a_sentence() {
    let desk = Desk::new();
    let big = format!("tenant_id,name\n{CONTOSO},\"{}", "x\n".repeat(5_000));
    for (list, expected) in [
        (&b""[..], "list.csv:1:1: the list is empty"),
        (b"\n\n", "list.csv:1:1: the list is empty"),
        (b"name,id\nA,a\n", "no column holds the tenants' directory ids"),
        (b"tenant_id\nx\n", "no column says what the tenants are called"),
        (b"Contoso,2f1c0a5e-0000-4000-8000-000000000001\n", "the first line does not say what the columns hold"),
        (b"tenant_id,name,Name\n", "list.csv:1:16: this column is there a second time"),
        (b"tenant_id,name,Client Secret\n", "list.csv:1:16: secrets themselves stand in this column"),
        (b"tenant_id,name\n\xff\xfe,A\n", "list.csv:2:1: this line is not UTF-8"),
        (b"\xff\xfet\0e\0", "list.csv:1:1: this line is not UTF-8"),
        (big.as_bytes(), "list.csv:2:38: this cell is longer than anything that belongs here"),
    ] {
        let plan = desk.plan(list);
        let found = complaints(&plan.problems);
        assert!(!plan.is_good() && found.iter().any(|reported| reported.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn hostile_names_are_names_and_nothing_else() {
    let desk = Desk::new();
    let names = [
        "=HYPERLINK(\"http://evil.example\")",
        "x: {a: b}\\n- y",
        "!!python/object/apply:os.system [id]",
        "*alias &anchor",
        "null",
        "1e3",
        "'quoted' \"twice\" #hash",
        "%YAML 1.1",
        "- - -",
        "<img src=x onerror=alert(1)>",
        "{{secret}} ../../etc/passwd",
        "日本 株式会社",
        "---",
        "|",
    ];
    let mut list = "tenant_id,name,label:owner\n".to_owned();
    for (number, name) in names.iter().enumerate() {
        let quoted = name.replace('"', "\"\"");
        let _ = writeln!(list, "2f1c0a5e-0000-4000-8000-0000000001{number:02},\"{quoted}\",\"{quoted}\"");
    }
    assert_eq!(desk.import(&list).len(), names.len());
    let config = load(&desk.path("scorewatch.yaml")).config.unwrap();
    for name in names {
        let tenant = config.tenants.values().find(|tenant| &*tenant.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(tenant.labels.get("owner").map(AsRef::as_ref), Some(name));
    }
    assert!(desk.files().iter().all(|file| !file.starts_with('.')), "{:?}", desk.files());
}

#[test]
fn own_apps_labels_and_consent_links_are_kept_apart() {
    let desk = Desk::new();
    fs::write(desk.path("own"), "hunter3").unwrap();
    let list = format!(
        "tenant_id,name,client_id,secret_file,region,labels\n{CONTOSO},Contoso,,,,tier=gold\n\
         {FABRIKAM},Fabrikam,6d2a0000-0000-4000-8000-000000000009,../own,eu,\n"
    );
    let labels = Labels::from([("tier".into(), "new".into()), ("wave".into(), "3".into())]);
    let plan = desk.plan_with(list.as_bytes(), None, labels);
    let link = |id| {
        format!("https://login.microsoftonline.com/{id}/adminconsent?client_id=6d2a0000-0000-4000-8000-000000000002")
    };
    assert_eq!(plan.lines[0].consent_link, Some(link(CONTOSO)));
    assert_eq!(plan.lines[1].consent_link, None, "an app of its own is registered there");
    place(&plan.files).unwrap();
    let config = load(&desk.path("scorewatch.yaml")).config.unwrap();
    let labels = |id: &str| {
        let labels = config.tenants[id].labels.iter();
        labels.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((labels("contoso").as_str(), labels("fabrikam").as_str()), ("tier=gold wave=3", "tier=new wave=3"));
    assert_eq!(config.tenants["fabrikam"].account.hosts.defender, "https://eu.api.security.microsoft.com");
}

#[test]
fn what_the_whole_configuration_would_reject_is_reported_at_its_row() {
    let alone = Desk::with(
        "store: sqlite://s.db\ntenants: [customers/*.yaml]\noperator: { notify: [soc] }\n\
         channels: { soc: { type: webhook, url: https://soar.example/hook } }\n",
    );
    let list = format!("name,tenant_id\nContoso,{CONTOSO}\n");
    let plan = alone.plan(list.as_bytes());
    let [only] = &complaints(&plan.problems)[..] else { panic!("{:?}", plan.problems) };
    assert!(only.ends_with("scorewatch.yaml:1:1: no app signs in to 1 new tenant"), "{only}");
    assert_eq!(outcomes(&plan), ["refused contoso"]);
    // Said once, however many there are.
    let list = format!("name,tenant_id\nContoso,{CONTOSO}\nFabrikam,{FABRIKAM}\n");
    let plan = alone.plan(list.as_bytes());
    let [only] = &complaints(&plan.problems)[..] else { panic!("{:?}", plan.problems) };
    assert!(only.ends_with("scorewatch.yaml:1:1: no app signs in to 2 new tenants"), "{only}");

    let desk = Desk::new();
    let elsewhere = desk.path("elsewhere");
    let plan = desk.plan_with(list.as_bytes(), Some(&elsewhere), Labels::new());
    assert!(!plan.is_good() && complaints(&plan.problems)[0].contains("no entry of `tenants:` would find files in"));
    let list = format!("name,tenant_id,client_id,secret_file\nContoso,{CONTOSO},{FABRIKAM},missing\n");
    // A secret that is not there yet refuses nothing: `scorewatch check` names it, and only its tenant waits for it.
    let plan = desk.plan(list.as_bytes());
    assert!(plan.is_good(), "{:?}", complaints(&plan.problems));
    assert!(!elsewhere.exists() && desk.files().is_empty());
}

#[test]
fn a_file_that_appears_meanwhile_is_kept_and_the_others_are_taken_back() {
    let desk = Desk::new();
    let list = format!("name,tenant_id\nAlpha,{CONTOSO}\nOmega,{FABRIKAM}\n");
    let plan = desk.plan(list.as_bytes());
    fs::create_dir(desk.path("customers")).unwrap();
    fs::write(desk.path("customers/omega.yaml"), "somebody else's").unwrap();
    let error = place(&plan.files).unwrap_err();
    assert!(error.to_string().contains("omega.yaml"), "{error}");
    assert_eq!(desk.files(), ["omega.yaml"]);
    assert_eq!(fs::read_to_string(desk.path("customers/omega.yaml")).unwrap(), "somebody else's");
}

#[test]
fn no_slug_is_made_that_the_store_knows_of_another_tenant() {
    let desk = Desk::new();
    let entra = |text: &str| Some(EntraTenantId(text.parse().unwrap()));
    let kept = BTreeMap::from([
        (TenantId::parse("contoso").unwrap(), entra("11111111-0000-4000-8000-000000000001")),
        (TenantId::parse("old").unwrap(), None),
        (TenantId::parse("fab").unwrap(), entra("22222222-0000-4000-8000-000000000002")),
    ]);
    let list = "tenant_id,name\n\
        33333333-0000-4000-8000-000000000003,Contoso\n\
        44444444-0000-4000-8000-000000000004,Old\n\
        22222222-0000-4000-8000-000000000002,Fabrikam Inc\n";
    for _ in 0..2 {
        let plan = desk.plan_knowing(list.as_bytes(), None, Labels::new(), kept.clone());
        assert!(plan.is_good(), "{:#?}", plan.problems);
        assert_eq!(outcomes(&plan), ["new contoso-33333333", "new old-44444444", "new fab"], "the same each time");
    }
}
