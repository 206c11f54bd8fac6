//! A list in JSON: an array of objects, or an answer of Microsoft Graph with its objects under `value` ("List contracts").

use csv::StringRecord;
use serde_json::{Map, Value};

use super::{COLUMNS_MAX, Complaints, Cursor, Position, Sheet};
use crate::diagnostic::Warning;

/// Under which key an answer of Graph has its objects.
const ITEMS: &str = "value";
/// Under which key it says where the next page is.
const NEXT_PAGE: &str = "@odata.nextLink";

/// Reads a list, and reports what is wrong with it.
pub(super) fn read(text: String, complaints: &mut Complaints<'_>) -> Option<Sheet> {
    let items = match serde_json::from_str(&text) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut answer)) => {
            if answer.contains_key(NEXT_PAGE) {
                let what = format!("this is one page of several: it has an `{NEXT_PAGE}`, so customers are missing");
                let instead = "fetch that link too, until an answer has none, and import each page";
                complaints.warn(Warning::ListIncomplete, Position::START, what, instead);
            }
            let Some(Value::Array(items)) = answer.remove(ITEMS) else {
                let instead = "import the whole answer of Microsoft Graph, or an array of objects";
                complaints.error(Position::START, format!("there is no array under `{ITEMS}`"), instead);
                return None;
            };
            items
        }
        Ok(_) => return None,
        Err(error) => {
            let place = Position { line: error.line().max(1), column: error.column().max(1) };
            complaints.error(place, "from here on, this is not JSON", "save the answer again, as a whole");
            return None;
        }
    };
    sheet(text, items, complaints)
}

fn sheet(text: String, items: Vec<Value>, complaints: &mut Complaints<'_>) -> Option<Sheet> {
    let places = places(&text, items.len());
    let mut rows = Vec::with_capacity(items.len());
    let mut keys: Vec<String> = Vec::new();
    for (item, at) in items.into_iter().zip(&places) {
        let Value::Object(item) = item else {
            complaints.error(
                Position { line: at.line, column: at.column },
                "a customer is an object",
                "write it like `{ \"customerId\": \"…\" }`",
            );
            return None;
        };
        let cells = cells(item);
        for (key, _) in &cells {
            // Of a list with more, nothing is read.
            if keys.len() <= COLUMNS_MAX && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        rows.push(cells);
    }
    let mut sheet = Sheet::of(text);
    let header = StringRecord::from(keys.clone());
    let Some(first) = places.first() else {
        complaints.error(Position::START, "the list is empty", "import an answer in which there are customers");
        return None;
    };
    sheet.check_size(&header, first, complaints)?;
    for (_, (level, what, instead)) in sheet.read_columns(&header) {
        complaints.add(Position::START, level, what, instead);
    }
    let mut kept = 0;
    for (cells, at) in rows.iter().zip(&places) {
        let cell = |key: &String| cells.iter().find(|(known, _)| known == key).map_or("", |(_, cell)| cell);
        let record: StringRecord = keys.iter().map(cell).collect();
        sheet.check_size(&record, at, complaints)?;
        kept = sheet.read_row(&record, at, kept, complaints)?;
    }
    // As Graph answers, all of it is on one line, which tells no item from another.
    if places.windows(2).any(|pair| pair[0].line == pair[1].line) {
        sheet.rows.iter_mut().enumerate().for_each(|(index, row)| row.item = Some(index + 1));
    }
    Some(sheet)
}

/// The texts of an object, each with its key; those of an object in it have both keys, as in `customer.tenantId`.
fn cells(item: Map<String, Value>) -> Vec<(String, String)> {
    let mut cells = Vec::with_capacity(item.len());
    for (key, value) in item.into_iter().filter(|(key, _)| !key.starts_with('@')) {
        match value {
            Value::Object(inner) => {
                let inner =
                    inner.into_iter().filter_map(|(name, value)| Some((format!("{key}.{name}"), plain(value)?)));
                cells.extend(inner);
            }
            value => cells.extend(plain(value).map(|text| (key, text))),
        }
    }
    cells
}

/// A single value as text; `None`: it is several, or nothing.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Where each item begins. The text is JSON; where something else than the items is in it, all begin at its first line.
fn places(text: &str, count: usize) -> Vec<Cursor> {
    let depth_of_items = if text.trim_start().starts_with('[') { 1 } else { 2 };
    let (mut found, mut depth, mut line, mut column) = (Vec::new(), 0_usize, 1, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for (byte, letter) in text.bytes().enumerate() {
        // Columns count characters, and all bytes of one except its first begin with the bits 10.
        column += usize::from(letter & 0xC0 != 0x80);
        if letter == b'\n' {
            (line, column) = (line + 1, 0);
        }
        match letter {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                if letter == b'{' && depth == depth_of_items {
                    found.push(Cursor { line, column, byte });
                }
                depth += 1;
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if found.len() == count { found } else { vec![Cursor { line: 1, column: 1, byte: 0 }; count] }
}
