//! Problems in what people wrote: where, what, and what to write instead; for the terminal and as JSON.

pub mod excerpt;
pub mod place;
pub mod problem;
pub mod render;
pub mod warning;

pub use excerpt::{Excerpt, Excerpts};
pub use place::Place;
pub use problem::{Level, Problem};
pub use warning::Warning;
