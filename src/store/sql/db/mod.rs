//! A typed layer over the two drivers, so that what the store does is written once.
//!
//! A statement is one text with numbered placeholders (`$1`) and bound values. It is written in what both databases understand; the
//! few things that they write differently have a name in [`dialect`].

mod connection;
mod dialect;
mod error;
mod query;
mod row;
mod value;

pub(in crate::store) use self::{
    connection::{Connection, Pool},
    dialect::Dialect,
    error::sqlite_code,
    query::{Query, query, query_as, query_scalar, within_limit},
    row::Row,
    value::{List, Value, list_of, pairs},
};
