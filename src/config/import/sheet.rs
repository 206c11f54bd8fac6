//! CSV as spreadsheets and portals write it, and JSON as Microsoft Graph answers: rows with their places. Pure.

mod json;
mod position;

use std::path::Path;

pub(super) use position::Position;

use super::column::{Column, Heading, heading, is_of_customer};
use crate::diagnostic::{Level, Place, Problem, Warning};

/// The largest list, in bytes: a hundred thousand customers with room to spare.
pub const SHEET_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most rows that a sheet may have.
pub const ROWS_MAX: usize = 100_000;
/// The most columns that a sheet may have.
const COLUMNS_MAX: usize = 200;
/// The most cells that are kept of all rows together.
const CELLS_MAX: usize = 3_000_000;
/// The most separators in one line: a row of a million cells is not a row.
const SEPARATORS_MAX: usize = 10_000;
/// The largest cell, in bytes. A larger one is a quote that is not closed.
const CELL_BYTES_MAX: usize = 4 * 1024;

/// A list that could be read.
#[derive(Debug)]
pub struct Sheet {
    text: String,
    /// What stands between cells; `None`: the list is JSON.
    separator: Option<u8>,
    /// What each column holds; `None`: not used.
    columns: Vec<Option<Column>>,
    pub(super) rows: Vec<Row>,
    /// Whether its rows are relationships with customers, which have names and states of their own.
    pub(super) is_of_relationships: bool,
    /// Whether Graph has written it, which has all that it knows of a customer under `customer`.
    pub(super) is_of_graph: bool,
}

/// A row of the sheet after its header.
#[derive(Debug)]
pub(super) struct Row {
    /// The row's line in the file, from 1.
    pub(super) line: usize,
    /// Which item of the list it is, from 1, where several are on one line; `None`: its line says it.
    pub(super) item: Option<usize>,
    at: Cursor,
    cells: Vec<String>,
}

impl Row {
    /// How people find it in the file: `line 5`, or `item 2`.
    pub(super) fn found_at(&self) -> String {
        self.item.map_or_else(|| format!("line {}", self.line), |item| format!("item {item}"))
    }
}

impl Sheet {
    /// JSON of which nothing is read yet.
    const fn of(text: String) -> Self {
        Self {
            text,
            separator: None,
            columns: Vec::new(),
            rows: Vec::new(),
            is_of_relationships: false,
            is_of_graph: false,
        }
    }

    /// What a row has in a column; empty is nothing.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: &Column) -> Option<&'a str> {
        let index = self.index(column)?;
        row.cells.get(index).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }

    /// Each label that a row has a column for.
    pub(super) fn labels<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.columns.iter().zip(&row.cells).filter_map(|(column, cell)| match column {
            Some(Column::Label(key)) if !cell.trim().is_empty() => Some((key.as_str(), cell.trim())),
            _ => None,
        })
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, column: &Column) -> bool {
        self.index(column).is_some()
    }

    /// Whether a column says what the tenants are called.
    pub(super) fn says_names(&self) -> bool {
        [Column::Id, Column::Name, Column::Domain].iter().any(|column| self.has(column))
    }

    /// Line and column of a row's cell; of the row where it has no such cell.
    pub(super) fn place(&self, row: &Row, column: &Column) -> Position {
        let index = self.index(column).filter(|index| *index < row.cells.len()).unwrap_or_default();
        self.place_of(&row.at, index)
    }

    fn index(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|known| known.as_ref() == Some(column))
    }

    fn place_of(&self, at: &Cursor, index: usize) -> Position {
        let of_item = Position { line: at.line, column: at.column };
        self.separator.map_or(of_item, |separator| place_of(&self.text, separator, at.line, at.byte, index))
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Walks to a cell: what stands between quotes is not examined.
fn place_of(text: &str, separator: u8, mut line: usize, start: usize, index: usize) -> Position {
    let (mut column, mut left, mut is_quoted) = (1, index, false);
    for letter in text.get(start..).unwrap_or_default().chars() {
        if left == 0 {
            break;
        }
        column += 1;
        match letter {
            '"' => is_quoted = !is_quoted,
            '\n' => (line, column) = (line + 1, 1),
            letter if !is_quoted && letter == char::from(separator) => left -= 1,
            _ => {}
        }
    }
    Position { line, column }
}

/// What is wrong with a list, as it is found.
struct Complaints<'a> {
    file: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Complaints<'_> {
    fn add(&mut self, at: Position, level: Level, what: String, instead: &str) {
        match level {
            Level::Error => self.error(at, what, instead),
            Level::Warning => self.warn(Warning::ColumnNotUsed, at, what, instead),
        }
    }

    fn warn(&mut self, warning: Warning, at: Position, what: impl Into<String>, instead: &str) {
        self.problems.push(Problem::warning(warning, self.place(at), "", what, instead));
    }

    fn place(&self, at: Position) -> Place {
        Place { file: self.file.to_owned(), line: at.line, column: at.column }
    }

    fn error(&mut self, at: Position, what: impl Into<String>, instead: &str) {
        self.problems.push(Problem::error(self.place(at), "", what, instead));
    }
}

/// Reads a list. Reports what is wrong with the list as a whole, and each row that has more cells than there are columns.
pub fn read_sheet(file: &Path, bytes: &[u8], problems: &mut Vec<Problem>) -> Option<Sheet> {
    let mut complaints = Complaints { file, problems };
    let text = decode(bytes, &mut complaints)?;
    if text.trim_start().starts_with(['{', '[']) {
        return json::read(text, &mut complaints);
    }
    let (first, begin) = skip_preamble(&text);
    let separator = separator(text.get(begin..).unwrap_or_default());
    let mut sheet = Sheet { separator: Some(separator), ..Sheet::of(text) };
    let mut at = Cursor { line: first, column: 1, byte: begin };
    let body = sheet.text.clone();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(body.as_bytes().get(begin..).unwrap_or_default());
    let mut record = csv::StringRecord::new();
    let (mut is_header, mut kept) = (true, 0_usize);
    while let Ok(true) = reader.read_record(&mut record) {
        let offset = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        at.go(&body, begin.saturating_add(offset));
        sheet.check_size(&record, &at, &mut complaints)?;
        if is_header {
            is_header = false;
            for (index, (level, what, instead)) in sheet.read_columns(&record) {
                complaints.add(sheet.place_of(&at, index), level, what, instead);
            }
        } else if record.iter().any(|cell| !cell.trim().is_empty()) {
            kept = sheet.read_row(&record, &at, kept, &mut complaints)?;
        }
    }
    if sheet.columns.is_empty() {
        complaints.error(Position::START, "the list is empty", "begin with a line of column names");
        return None;
    }
    Some(sheet)
}

/// The text of a list that is not too large for one.
fn decode(bytes: &[u8], complaints: &mut Complaints<'_>) -> Option<String> {
    if bytes.len() > SHEET_BYTES_MAX {
        complaints.error(Position::START, "the list is larger than 32 MiB", "split it");
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            complaints.error(Position::line(line), "this line is not UTF-8", "save it as «CSV UTF-8»");
            return None;
        }
    };
    let is_json = text.trim_start().starts_with(['{', '[']);
    if let Some(line) = crowded_line(&text).filter(|_| !is_json) {
        let what = format!("this line has more than {SEPARATORS_MAX} separators");
        complaints.error(Position::line(line), what, "delete it, or close the quote before it");
        return None;
    }
    Some(text)
}

impl Sheet {
    /// `None`: no list has such a row, which is reported.
    fn check_size(&self, record: &csv::StringRecord, at: &Cursor, complaints: &mut Complaints<'_>) -> Option<()> {
        if record.len() > COLUMNS_MAX {
            let what = format!(
                "this row has {} cells, more than the {COLUMNS_MAX} columns that a list may have",
                record.len()
            );
            complaints.error(
                Position { line: at.line, column: at.column },
                what,
                "delete the columns that are not needed",
            );
            return None;
        }
        if let Some(index) = record.iter().position(|cell| cell.len() > CELL_BYTES_MAX) {
            let what = "this cell is longer than anything that belongs here";
            complaints.error(self.place_of(at, index), what, "close the quote that opens it");
            return None;
        }
        Some(())
    }

    /// Keeps a row, and returns how many cells are kept in all. `None`: there are too many, which is reported.
    fn read_row(
        &mut self,
        record: &csv::StringRecord,
        at: &Cursor,
        kept: usize,
        complaints: &mut Complaints<'_>,
    ) -> Option<usize> {
        let columns = self.columns.len();
        if record.iter().skip(columns).any(|cell| !cell.is_empty()) {
            let what = format!("this row has {} cells, and there are {columns} columns", record.len());
            let place = self.place_of(at, columns);
            complaints.error(place, what, "put a cell with a separator in it into quotes");
        }
        if self.rows.len() >= ROWS_MAX {
            complaints.error(Position::line(at.line), format!("there are more than {ROWS_MAX} rows"), "split the list");
            return None;
        }
        let cells: Vec<String> = record.iter().take(columns).map(ToOwned::to_owned).collect();
        let kept = kept + cells.len();
        if kept > CELLS_MAX {
            complaints.error(
                Position::line(at.line),
                format!("there are more than {CELLS_MAX} cells"),
                "split the list",
            );
            return None;
        }
        self.rows.push(Row { line: at.line, item: None, at: *at, cells });
        Some(kept)
    }
}

/// The first line with more separators than any list has.
fn crowded_line(text: &str) -> Option<usize> {
    let is_separator = |byte: &u8| matches!(byte, b',' | b';' | b'\t');
    let is_crowded = |line: &str| line.bytes().filter(is_separator).count() > SEPARATORS_MAX;
    text.lines().position(is_crowded).map(|index| index + 1)
}

type ColumnProblem = (usize, (Level, String, &'static str));

impl Sheet {
    fn read_columns(&mut self, header: &csv::StringRecord) -> Vec<ColumnProblem> {
        let mut reported = Vec::new();
        // A relationship to a customer has a name of its own.
        self.is_of_relationships =
            header.iter().any(|written| is_of_customer(written) && heading(written) == Heading::Used(Column::Name));
        self.is_of_graph = header.iter().any(|written| written.trim().to_lowercase().starts_with("customer."));
        for (index, written) in header.iter().enumerate().take(COLUMNS_MAX) {
            let column = match heading(written) {
                // In other lists it may be that of a contract or of an invoice.
                Heading::Used(Column::Status) if !self.is_of_graph => None,
                Heading::Used(Column::Name) if self.is_of_relationships && !is_of_customer(written) => None,
                Heading::Used(column) if self.has(&column) => {
                    let what = "this column is there a second time".to_owned();
                    reported.push((index, (Level::Error, what, "delete one of the two")));
                    None
                }
                Heading::Used(column) => Some(column),
                Heading::Secret => {
                    let what = "secrets themselves stand in this column; nothing of it is kept".to_owned();
                    let instead = "delete it, put each secret into a file, and name that in a column `secret_file`";
                    reported.push((index, (Level::Error, what, instead)));
                    None
                }
                Heading::Unknown if !written.trim().is_empty() => {
                    let what = "this column is not used".to_owned();
                    reported.push((index, (Level::Warning, what, "name it `label:KEY` to make labels of it")));
                    None
                }
                Heading::Unknown | Heading::Idle => None,
            };
            self.columns.push(column);
        }
        if !self.has(&Column::TenantId) && !self.says_names() {
            let what = "the first line does not say what the columns hold".to_owned();
            // Which columns are not used follows from it.
            reported.retain(|(_, (level, ..))| *level == Level::Error);
            reported.push((0, (Level::Error, what, "write a line above the rows, like `name,tenant_id`")));
            return reported;
        }
        if !self.has(&Column::TenantId) {
            let what = "no column holds the tenants' directory ids".to_owned();
            let instead =
                "name it `tenant_id`, or `Microsoft ID` as in Partner Center's export; a header line comes first";
            reported.push((0, (Level::Error, what, instead)));
        }
        if !self.says_names() {
            let what = "no column says what the tenants are called".to_owned();
            reported.push((0, (Level::Error, what, "name one `name` or `Company name`")));
        }
        reported
    }
}

/// Where a row begins. Lines are counted once, on the way.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    line: usize,
    column: usize,
    byte: usize,
}

impl Cursor {
    /// Goes to the record at that byte or behind the blank lines there.
    fn go(&mut self, text: &str, to: usize) {
        let bytes = text.as_bytes();
        while let Some(byte) = bytes.get(self.byte) {
            if self.byte >= to && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += usize::from(*byte == b'\n');
            self.byte += 1;
        }
    }
}

/// Behind what is not a header: `sep=;` of Excel, `#TYPE …` of PowerShell. The line there and the byte.
fn skip_preamble(text: &str) -> (usize, usize) {
    let first = text.lines().next().unwrap_or_default();
    let is_preamble = first.starts_with("#TYPE ") || (first.len() == 5 && first.to_lowercase().starts_with("sep="));
    match text.find('\n') {
        Some(end) if is_preamble => (2, end + 1),
        _ => (1, 0),
    }
}

/// The separator that the first line has most of.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| {
        let mut is_quoted = false;
        first
            .bytes()
            .filter(|byte| {
                is_quoted ^= *byte == b'"';
                !is_quoted && byte == separator
            })
            .count()
    };
    // Of equal counts the last one wins, which is the comma.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
