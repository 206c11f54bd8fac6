//! A reference model of the rules' specification, and a judge of messages. It shares no code with the product: nothing here imports the
//! crate, and everything is plain data (seconds, values, places in lists).
//!
//! [`world`] says what happened → [`model`] says which events somebody must be notified of → [`judge`] compares that with the
//! messages that each channel received → [`accounts`] checks that whatever was grouped, merged or suppressed is covered.

pub mod accounts;
pub mod ideal;
pub mod judge;
pub mod message;
pub mod model;
mod no_data;
pub mod shift;
mod walk;
pub mod world;
