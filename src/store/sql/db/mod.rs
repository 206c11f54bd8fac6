//! A typed layer over the two drivers, so that what the store does is written once.
//!
//! A statement is one text with numbered placeholders (`$1`) and bound values. It is written in what both databases understand; the
//! few things that they write differently have a name in [`dialect`].

mod connection;
mod dialect;
mod error;
mod limit;
mod query;
mod readers;
mod row;
mod value;

pub(in crate::store) use self::{
    connection::{Connection, Pool},
    dialect::Dialect,
    error::{is_login_refused, is_unusable_after, sqlite_code},
    limit::within_limit,
    query::{Query, query, query_as, query_scalar},
    readers::{Door, Readers},
    row::Row,
    value::{Column, List, Value, columns, list_of, pairs},
};
