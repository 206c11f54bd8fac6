//! One row: read → what it offers.

use uuid::Uuid;

use super::{
    column::Column,
    sheet::{Row, Sheet},
};
use crate::domain::{
    Cloud, EntraTenantId, Labels, Region, TenantId,
    characters::{self, first_hidden},
};

/// Longest display name, in characters.
const NAME_CHARACTERS_MAX: usize = 200;
/// Longest label, key or value, in characters.
const LABEL_CHARACTERS_MAX: usize = 100;

/// Letters of a GUID with its hyphens.
const GUID_LETTERS: usize = 36;

/// How the first domains of tenants end in the clouds of the US government, except GCC.
const US_GOVERNMENT: &str = ".onmicrosoft.us";
/// How they end in China.
const CHINA: &str = ".partner.onmschina.cn";

/// A tenant that a row offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) id: Option<TenantId>,
    pub(super) name: String,
    /// Whether a cell says the name, and not the domain.
    pub(super) is_named: bool,
    pub(super) domain: String,
    pub(super) entra: EntraTenantId,
    pub(super) cloud: Option<Cloud>,
    pub(super) region: Option<Region>,
    pub(super) app: Option<App>,
    pub(super) labels: Labels,
}

/// An app of the tenant's own, and where its secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct App {
    pub(super) client_id: Uuid,
    pub(super) material: Kept,
}

/// Where a secret is kept, as it is written in a tenant's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) column: Column,
    pub(super) text: String,
}

/// States of a GDAP relationship that is over; Graph calls them so.
const OVER: [&str; 2] = ["terminated", "expired"];

/// The state of a relationship that is over, where the row is one: Graph names the customer of it under `customer`.
pub(super) fn ended<'a>(sheet: &'a Sheet, row: &'a Row) -> Option<&'a str> {
    let status = sheet.cell(row, &Column::Status).filter(|_| sheet.is_of_graph)?;
    OVER.iter().any(|over| over.eq_ignore_ascii_case(status)).then_some(status)
}

/// What is wrong with a row: of which column, what, and what to write instead.
pub(super) type Fault = (Column, String, &'static str);

/// Reads a row; every cell of it is examined.
pub(super) fn offer(sheet: &Sheet, row: &Row, faults: &mut Vec<Fault>) -> Option<Offer> {
    let before = faults.len();
    let text = |column: Column, faults: &mut Vec<Fault>| {
        let cell = sheet.cell(row, &column)?;
        if let Some(hidden) = first_hidden(cell) {
            let what =
                format!("character {} is {}, which nobody can see", hidden.position, characters::name(hidden.letter));
            faults.push((column, what, "delete it"));
            return None;
        }
        Some(cell.to_owned())
    };
    // A column that is not there was reported once, for all rows.
    if sheet.has(&Column::TenantId) && sheet.cell(row, &Column::TenantId).is_none() {
        let instead = "copy it from Partner Center or Entra";
        faults.push((Column::TenantId, "the directory (tenant) id is missing".to_owned(), instead));
    }
    let entra = text(Column::TenantId, faults).and_then(|cell| guid(&cell, Column::TenantId, faults));
    let id = text(Column::Id, faults).filter(|cell| !is_of_another_program(cell));
    let id = id.and_then(|cell| {
        TenantId::parse(&cell)
            .inspect_err(|why| {
                faults.push((Column::Id, why.to_string(), "use a-z, 0-9 and, after the first, `-`, `_`, `.`"));
            })
            .ok()
    });
    let domain = text(Column::Domain, faults).unwrap_or_default();
    let name = text(Column::Name, faults);
    let is_named = name.is_some();
    let name = name.or_else(|| id.as_ref().map(ToString::to_string)).unwrap_or_else(|| domain.clone());
    if name.is_empty() && sheet.says_names() && faults.len() == before {
        faults.push((Column::Name, "the row does not say what the tenant is called".to_owned(), "write its name"));
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        faults.push((Column::Name, format!("the name has more than {NAME_CHARACTERS_MAX} characters"), "shorten it"));
    }
    let cloud = text(Column::Cloud, faults);
    let cloud = cloud.and_then(|cell| one_of(&cell, &Cloud::ALL.map(|one| (one.as_str(), one)), &CLOUD, faults));
    let region = text(Column::Region, faults);
    let region = region.and_then(|cell| one_of(&cell, &Region::ALL.map(|one| (one.as_str(), one)), &REGION, faults));
    let client_id = text(Column::ClientId, faults).and_then(|cell| guid(&cell, Column::ClientId, faults));
    let materials: Vec<Kept> =
        [Column::SecretEnv, Column::SecretFile, Column::SecretCredential, Column::CertificateFile]
            .into_iter()
            .filter_map(|column| text(column.clone(), faults).map(|text| Kept { column, text }))
            .collect();
    let is_app = sheet.cell(row, &Column::ClientId).is_some();
    let app = app(is_app, client_id, materials, faults);
    let labels = labels(sheet, row, faults);
    if faults.len() > before || !sheet.says_names() {
        return None;
    }
    Some(Offer { id, name, is_named, domain, entra: EntraTenantId(entra?), cloud, region, app, labels })
}

/// What is wrong with the cloud of an offer by its domain: Microsoft gives each national cloud an ending of its own, and a consent
/// link of another cloud leads to an error.
pub(super) fn cloud_fault(offer: &Offer) -> Option<Fault> {
    let domain = offer.domain.to_ascii_lowercase();
    let is_national = matches!(offer.cloud, Some(Cloud::GccHigh | Cloud::Dod));
    let (what, instead) = if domain.ends_with(US_GOVERNMENT) && !is_national {
        (
            format!(
                "a domain that ends with `{US_GOVERNMENT}` is in GCC High or DoD, and not in the commercial cloud or GCC"
            ),
            "write `gcc-high` or `dod` in a column `cloud`, or import the list with `--cloud gcc-high` or `--cloud dod`",
        )
    } else if domain.ends_with(CHINA) && offer.cloud.is_none() {
        (
            format!(
                "a domain that ends with `{CHINA}` is in the cloud that 21Vianet operates in China, which has no name here"
            ),
            "write this tenant's file by hand, with the `endpoints:` of that cloud",
        )
    } else {
        return None;
    };
    Some((Column::Domain, what, instead))
}

/// A column whose cells hold one of a few words.
struct WordColumn {
    column: Column,
    what: &'static str,
    instead: &'static str,
}

const CLOUD: WordColumn = WordColumn {
    column: Column::Cloud,
    what: "this is not a cloud",
    instead: "write `commercial`, `gcc`, `gcc-high` or `dod`",
};
const REGION: WordColumn = WordColumn {
    column: Column::Region,
    what: "this is not a region",
    instead: "write `us`, `eu`, `uk`, `au`, `swa` or `ina`",
};

/// The meaning of a cell's word, in any case.
fn one_of<T: Copy>(cell: &str, known: &[(&str, T)], of: &WordColumn, faults: &mut Vec<Fault>) -> Option<T> {
    let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(cell)).map(|(_, meaning)| *meaning);
    if found.is_none() {
        faults.push((of.column.clone(), of.what.to_owned(), of.instead));
    }
    found
}

/// In what two rows of one tenant contradict each other; `None`: they say the same.
pub(super) fn contradiction(first: &Offer, offer: &Offer) -> Option<(Column, &'static str)> {
    [
        (first.id != offer.id, Column::Id, "`id`"),
        (first.name != offer.name, Column::Name, "name"),
        (differ(&first.domain, &offer.domain), Column::Domain, "domain"),
        (first.cloud != offer.cloud, Column::Cloud, "cloud"),
        (first.region != offer.region, Column::Region, "region"),
        (first.app != offer.app, Column::ClientId, "app"),
        (first.labels != offer.labels, Column::Labels, "label"),
    ]
    .into_iter()
    .find_map(|(differs, column, what)| differs.then_some((column, what)))
}

/// Whether an id is none of ours: what other programs call `id` is that of the directory again, of a contract (a GUID), or of a
/// relationship (two of them).
fn is_of_another_program(id: &str) -> bool {
    id.get(..GUID_LETTERS).is_some_and(|start| Uuid::parse_str(start).is_ok()) || Uuid::parse_str(id).is_ok()
}

/// Whether two texts differ; one that is empty says nothing.
fn differ(first: &str, second: &str) -> bool {
    first != second && !first.is_empty() && !second.is_empty()
}

fn guid(cell: &str, column: Column, faults: &mut Vec<Fault>) -> Option<Uuid> {
    // The text is not shown: people paste secrets into the wrong cell.
    let read = Uuid::parse_str(cell).ok().filter(|id| !id.is_nil());
    if read.is_none() {
        faults.push((
            column,
            "this is not a GUID".to_owned(),
            "write it as Entra shows it: `2f1c0a5e-0000-4000-8000-000000000001`",
        ));
    }
    read
}

fn app(is_written: bool, client_id: Option<Uuid>, mut materials: Vec<Kept>, faults: &mut Vec<Fault>) -> Option<App> {
    let (column, what, instead) = match (is_written, materials.len()) {
        (true, 1) => return Some(App { client_id: client_id?, material: materials.pop()? }),
        (false, 0) => return None,
        (true, 0) => {
            let instead =
                "name its secret's file in a column `secret_file`, or leave the cell empty where one app serves all";
            (Column::ClientId, "this app has nothing to prove itself with", instead)
        }
        (false, _) => {
            let column = materials.swap_remove(0).column;
            (column, "this secret belongs to no app", "write the app's id in a column `client_id`")
        }
        (true, _) => {
            let column = materials.swap_remove(1).column;
            (column, "an app proves itself in one way at a time", "leave one of the cells empty")
        }
    };
    faults.push((column, what.to_owned(), instead));
    None
}

fn labels(sheet: &Sheet, row: &Row, faults: &mut Vec<Fault>) -> Labels {
    let mut labels = Labels::new();
    let mut take = |column: Column, key: &str, value: &str| match label(key, value) {
        Ok(()) => drop(labels.insert(key.into(), value.into())),
        Err(what) => faults.push((column, what.to_owned(), "write labels like `tier=gold country=de`")),
    };
    if let Some(cell) = sheet.cell(row, &Column::Labels) {
        for pair in cell.split([' ', ',', ';']).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            take(Column::Labels, key, value);
        }
    }
    for (key, value) in sheet.labels(row) {
        take(Column::Label(key.to_owned()), key, value);
    }
    labels
}

/// Says whether that may be a label.
///
/// # Errors
/// What is wrong with it, as a clause.
pub fn label(key: &str, value: &str) -> Result<(), &'static str> {
    let is_long = |text: &str| text.chars().count() > LABEL_CHARACTERS_MAX;
    if key.is_empty() || value.is_empty() {
        Err("a label has a key and a value")
    } else if is_long(key) || is_long(value) {
        Err("this label is too long")
    } else if first_hidden(key).or(first_hidden(value)).is_some() {
        Err("a character that can't be seen stands in a label")
    } else {
        Ok(())
    }
}
