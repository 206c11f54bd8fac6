//! What would become of a list: which of its tenants are new, which are known, and which are refused. Writes nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    super::{Config, Loaded, Tenant, draft::Draft, files, load::load_with},
    Pending,
    column::Column,
    row::{self, Offer},
    sheet::{self, Position, Row, Sheet},
    slug::{There, slug_of},
    written::{differences, labels, written},
};
use crate::{
    diagnostic::{Level, Place, Problem, Warning},
    domain::{Cloud, EntraTenantId, Labels, TenantId},
    microsoft::Hosts,
    secret::redact::echo,
};

/// The key under which the app of a tenant, or of all tenants, is written.
const CREDENTIAL: &str = "credential";

/// What the sheet's rows ask to be written.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The main file of the configuration.
    pub config: &'a Path,
    /// The list; its problems name it.
    pub list: &'a Path,
    /// Where the tenants' files go; `None`: where `tenants:` looks for them.
    pub folder: Option<&'a Path>,
    /// Labels of every new tenant, unless its row says otherwise.
    pub labels: Labels,
    /// The cloud of every new tenant, unless its row says otherwise.
    pub cloud: Option<Cloud>,
    /// Slugs of tenants of which the store still knows something, each with the Entra id as far as that is noted.
    pub kept: BTreeMap<TenantId, Option<EntraTenantId>>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A file is written for it.
    New,
    /// A row above says the same of that tenant, and is the one that counts.
    Merged,
    /// The configuration has that tenant, and is left alone.
    Known,
    /// It is a relationship with a customer, and that is over.
    Ended,
    /// Something is wrong with it.
    Refused,
}

/// A row of the list.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Its line in the list.
    pub line: usize,
    /// Which item of the list it is, from 1, where several are on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// The tenant's slug; `None`: it never got one.
    pub id: Option<TenantId>,
    /// The display name, as far as it is known.
    pub name: String,
    /// The directory id, if it is one.
    pub tenant_id: Option<EntraTenantId>,
    /// The file that is new.
    pub file: Option<PathBuf>,
    /// In what the list differs from the tenant that is known.
    pub differs: Vec<String>,
    /// Where an administrator of a new tenant consents to the app that serves all tenants.
    pub consent_link: Option<String>,
}

impl Line {
    /// A row of which nothing is known to be right yet.
    fn of(row: &Row, sheet: &Sheet, offer: Option<&Offer>) -> Self {
        let name = sheet.cell(row, &Column::Name).unwrap_or_default();
        Self {
            line: row.line,
            item: row.item,
            outcome: Outcome::Refused,
            id: offer.and_then(|offer| offer.id.clone()),
            name: offer.map_or(name, |offer| &offer.name).to_owned(),
            tenant_id: offer.map(|offer| offer.entra),
            file: None,
            differs: Vec::new(),
            consent_link: None,
        }
    }
}

/// What would become of a list.
#[derive(Debug)]
pub struct Plan {
    /// Its rows, in their order.
    pub lines: Vec<Line>,
    /// What is wrong; with one error nothing may be written.
    pub problems: Vec<Problem>,
    /// The files to write.
    pub files: Pending,
    places: HashMap<PathBuf, (usize, Place)>,
}

impl Plan {
    /// Whether the files may be written.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.iter().all(|problem| problem.level != Level::Error)
    }
}

/// Says what would become of a list.
///
/// # Errors
/// What is wrong with the configuration as it stands: nothing is added to one that is not valid.
pub fn plan(wish: &Wish<'_>, bytes: &[u8]) -> Result<Plan, Box<Loaded>> {
    let mut loaded = load_with(wish.config, Pending::default());
    let Some(config) = loaded.config.take() else { return Err(Box::new(loaded)) };
    let mut plan = Plan { lines: Vec::new(), problems: Vec::new(), files: Pending::default(), places: HashMap::new() };
    let Some(sheet) = sheet::read_sheet(wish.list, bytes, &mut plan.problems) else { return Ok(plan) };
    let folder = wish.folder.map_or_else(|| tenants_folder(wish.config), ToOwned::to_owned);
    let offers = plan.read(wish, &sheet, &config, &folder);
    let _folder = TestFolder::under(&folder);
    plan.try_out(wish, &offers);
    plan.problems.sort();
    plan.problems.dedup();
    Ok(plan)
}

/// The cloud of all tenants that are configured, if it is the same national one: the app that they share is registered there.
fn common_cloud(config: &Config) -> Option<Cloud> {
    let of = |tenant: &Tenant| {
        let here = &tenant.account.hosts;
        let is_it = |cloud: &Cloud| {
            let hosts = Hosts::of(*cloud, None);
            (&hosts.login, &hosts.graph, &hosts.portal) == (&here.login, &here.graph, &here.portal)
        };
        Cloud::ALL.into_iter().find(is_it)
    };
    let mut clouds = config.tenants.values().map(|tenant| of(tenant));
    let first = clouds.next().flatten()?;
    (first != Cloud::default() && clouds.all(|cloud| cloud == Some(first))).then_some(first)
}

impl Plan {
    /// Reads every row. The offers that are new, each with its line's index.
    fn read(&mut self, wish: &Wish<'_>, sheet: &Sheet, config: &Config, folder: &Path) -> Vec<(usize, Offer)> {
        let known: HashMap<EntraTenantId, &Tenant> =
            config.tenants.values().map(|tenant| (tenant.account.entra, tenant.as_ref())).collect();
        let mut taken: BTreeSet<String> = config.tenants.keys().map(ToString::to_string).collect();
        taken.extend(stems(folder));
        // Whoever looks at the store must not take one tenant for another.
        taken.extend(wish.kept.keys().map(ToString::to_string));
        // Slugs that are given come before those that are made.
        taken.extend(sheet.rows.iter().filter_map(|row| sheet.cell(row, &Column::Id)).map(ToOwned::to_owned));
        let mut seen: HashMap<EntraTenantId, (usize, Offer)> = HashMap::new();
        let mut given: HashMap<TenantId, String> = HashMap::new();
        let mut over = Over::of(sheet);
        let there = There { config, folder, kept: &wish.kept };
        let common_cloud = common_cloud(config);
        let mut offers = Vec::new();
        for (index, row) in sheet.rows.iter().enumerate() {
            let mut faults = Vec::new();
            let offer = row::offer(sheet, row, &mut faults);
            let offer = offer.map(|offer| Offer { cloud: offer.cloud.or(wish.cloud).or(common_cloud), ..offer });
            let mut line = Line::of(row, sheet, offer.as_ref());
            let is_new = |offer: &&Offer| !known.contains_key(&offer.entra);
            let customer = offer.as_ref().filter(is_new).map(|offer| offer.entra);
            if customer.is_some_and(|customer| over.covers(customer, index, row, sheet)) {
                line.outcome = Outcome::Ended;
            } else if let Some(offer) = offer {
                let first = seen.entry(offer.entra).or_insert_with(|| (index, offer.clone()));
                if first.0 != index {
                    match row::contradiction(&first.1, &offer) {
                        // Partner Center lists a customer once for each relationship.
                        None => line.outcome = Outcome::Merged,
                        Some((column, what)) => {
                            let there = sheet.rows.get(first.0).map(Row::found_at).unwrap_or_default();
                            let what = format!("{there} has the same `tenant_id` and another {what}");
                            faults.push((column, what, "delete one of the two rows, or correct the `tenant_id`"));
                        }
                    }
                } else if let Some(tenant) = known.get(&offer.entra) {
                    line.outcome = Outcome::Known;
                    line.id = Some(tenant.id.clone());
                    line.differs = differences(&offer, tenant);
                } else {
                    faults.extend(row::cloud_fault(&offer));
                    let id = slug_of(&offer, &row.found_at(), &there, &taken, &mut given, &mut faults);
                    if let Some(id) = id.filter(|_| faults.is_empty()) {
                        taken.insert(id.to_string());
                        let path = folder.join(format!("{id}.yaml"));
                        let Position { line: number, column } = sheet.place(row, &Column::TenantId);
                        let place = Place { file: wish.list.to_owned(), line: number, column };
                        if let Ok(text) = serde_yaml::to_string(&written(&id, &offer, &wish.labels)) {
                            self.files.0.insert(path.clone(), text);
                        }
                        self.places.insert(path.clone(), (self.lines.len(), place));
                        (line.outcome, line.id, line.file) = (Outcome::New, Some(id), Some(path));
                        offers.push((self.lines.len(), offer));
                    }
                }
            }
            for (column, what, instead) in faults {
                let at = sheet.place(row, &column);
                let place = Place { file: wish.list.to_owned(), line: at.line, column: at.column };
                self.complain(place, what, instead);
                line.outcome = Outcome::Refused;
            }
            self.lines.push(line);
        }
        self.warn_of_ended(wish.list, sheet, over);
        offers
    }

    /// Says of each customer with whom every relationship is over that it is left out.
    fn warn_of_ended(&mut self, list: &Path, sheet: &Sheet, over: Over) {
        for (index, status) in over.left_out.into_values() {
            let (Some(row), Some(name)) = (sheet.rows.get(index), self.lines.get(index).map(|line| &line.name)) else {
                continue;
            };
            let Position { line, column } = sheet.place(row, &Column::Status);
            let place = Place { file: list.to_owned(), line, column };
            let what = format!("the relationship with `{}` is {status}, so this customer is not imported", echo(name));
            let instead = "write its file by hand if it is still to be watched";
            self.problems.push(Problem::warning(Warning::RelationshipEnded, place, "", what, instead));
        }
    }

    /// Loads the configuration as it will be, and compares what is read back with what was offered.
    fn try_out(&mut self, wish: &Wish<'_>, offers: &[(usize, Offer)]) {
        let loaded = load_with(wish.config, self.files.clone());
        let mut without_app = 0;
        for problem in loaded.problems {
            match self.places.get(&problem.place.file) {
                Some((index, place)) => {
                    let place = place.clone();
                    if let Some(line) = self.lines.get_mut(*index).filter(|_| problem.level == Level::Error) {
                        line.outcome = Outcome::Refused;
                    }
                    let offered = offers.binary_search_by_key(index, |(at, _)| *at).ok().and_then(|at| offers.get(at));
                    let names_no_app = offered.is_some_and(|(_, offer)| offer.app.is_none());
                    if names_no_app && problem.level == Level::Error && problem.key == CREDENTIAL {
                        without_app += 1;
                        continue;
                    }
                    self.problems.push(Problem { place, ..problem });
                }
                None if problem.level == Level::Error => self.problems.push(problem),
                None => {}
            }
        }
        if without_app > 0 {
            self.lacks_app(wish.config, without_app);
        }
        let Some(config) = loaded.config else { return };
        for (index, offer) in offers {
            let Some(line) = self.lines.get_mut(*index) else { continue };
            let Some(tenant) = line.id.as_ref().and_then(|id| config.tenants.get(id)) else {
                line.outcome = Outcome::Refused;
                let place = Place { file: wish.config.to_owned(), line: 1, column: 1 };
                let folder = line.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
                let what = format!("no entry of `tenants:` would find files in `{}`", folder.display());
                self.complain(place, what, "add `FOLDER/*.yaml` there, or name another folder by `--out`");
                continue;
            };
            if offer.app.is_none() {
                let account = &tenant.account;
                line.consent_link = Some(account.consent_link());
            }
            let labels = labels(offer, &wish.labels);
            let client_id = offer.app.as_ref().map_or(tenant.account.app.client_id, |app| app.client_id);
            let is_same = *tenant.name == *offer.name
                && tenant.account.entra == offer.entra
                && *tenant.labels == labels
                && tenant.account.app.client_id == client_id;
            if !is_same {
                line.outcome = Outcome::Refused;
                let place = self.places.values().find(|(at, _)| at == index).map(|(_, place)| place.clone());
                if let Some(place) = place {
                    let what = "what would be written does not read back as it is".to_owned();
                    self.complain(place, what, "write this tenant's file by hand");
                }
            }
        }
    }

    /// Complains once that no app signs in to these tenants.
    fn lacks_app(&mut self, config: &Path, count: usize) {
        let place = Place { file: config.to_owned(), line: 1, column: 1 };
        let tenants = if count == 1 { "1 new tenant".to_owned() } else { format!("{count} new tenants") };
        let instead = "write `credential: { client_id: …, secret: { file: secrets/app } }` at the top of this file, once for all tenants, \
                       or add the columns `client_id` and `secret_file` to the list";
        self.problems.push(Problem::error(place, CREDENTIAL, format!("no app signs in to {tenants}"), instead));
    }

    fn complain(&mut self, place: Place, what: String, instead: &str) {
        self.problems.push(Problem::error(place, "", what, instead));
    }
}

/// Relationships that are over, in a list that has some.
struct Over {
    /// With whom another relationship still holds.
    held: HashSet<String>,
    /// The first row of each customer with whom none does, and its state.
    left_out: BTreeMap<EntraTenantId, (usize, String)>,
}

impl Over {
    fn of(sheet: &Sheet) -> Self {
        let rows = sheet.rows.iter().filter(|row| sheet.is_of_graph && row::ended(sheet, row).is_none());
        let ids = rows.filter_map(|row| sheet.cell(row, &Column::TenantId)?.parse::<uuid::Uuid>().ok());
        let held = ids.map(|id| id.to_string()).collect();
        Self { held, left_out: BTreeMap::new() }
    }

    /// Whether a row is a relationship that is over.
    fn covers(&mut self, customer: EntraTenantId, index: usize, row: &Row, sheet: &Sheet) -> bool {
        let Some(status) = row::ended(sheet, row) else { return false };
        if !self.held.contains(&customer.to_string()) {
            self.left_out.entry(customer).or_insert_with(|| (index, status.to_lowercase()));
        }
        true
    }
}

/// A folder that is there while the configuration is tried out: a secret's file is named from it, as in `../secrets/contoso`. Gone
/// again if it was not there before.
struct TestFolder<'a>(Option<&'a Path>);

impl<'a> TestFolder<'a> {
    fn under(folder: &'a Path) -> Self {
        // One that can't be created is reported when the files are written.
        Self(std::fs::create_dir(folder).ok().map(|()| folder))
    }
}

impl Drop for TestFolder<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.0 {
            // Takes it away only while nothing is in it.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Where the main file looks for tenants: the folder of its first pattern, else `tenants` beside it.
fn tenants_folder(config: &Path) -> PathBuf {
    let beside = config.parent().unwrap_or(Path::new(""));
    // It was loaded before: what is wrong with it has been said.
    let value = files::read(config, &mut Draft::default()).map(|source| source.value).unwrap_or_default();
    let entries = value.get("tenants").and_then(serde_yaml::Value::as_sequence);
    let patterns = entries.into_iter().flatten().filter_map(serde_yaml::Value::as_str);
    let folder = patterns.filter_map(|pattern| pattern.strip_suffix("*.yaml")).find(|folder| {
        let is_plain = !folder.contains(['*', '?', '[']);
        is_plain && (folder.is_empty() || folder.ends_with('/'))
    });
    beside.join(folder.unwrap_or("tenants/").trim_end_matches('/'))
}

/// The names of the files that are in a folder, without `.yaml`.
fn stems(folder: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".yaml")?.to_owned()))
}
