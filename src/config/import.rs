//! Tenants from a list that another program wrote: CSV → tenant files, all of them or none.
//!
//! [`sheet`] reads rows with their places → [`row`] makes an offer of each, or says what is wrong → [`plan`] separates new from known
//! and writes YAML → the whole configuration is loaded as if the files were there ([`Pending`]) → [`place`] puts them there.
//! Everything in the list is hostile: names go through the YAML writer, and are compared with what is read back.

mod column;
mod place;
mod plan;
mod row;
mod sheet;
pub(in crate::config) mod slug;
#[cfg(test)]
mod tests;
mod written;

pub use super::pending::Pending;
pub use super::place::PlaceError;
pub use place::place;
pub use plan::{Line, Outcome, Plan, Wish, plan};
pub use row::label as check_label;
pub use sheet::{ROWS_MAX, SHEET_BYTES_MAX, read_sheet};
