//! What evaluation promises: tables by topic, one named test per sentence, and laws that hold for whatever comes.

mod baseline;
mod close;
mod edit;
mod ended;
mod escalate;
mod explain;
mod firing;
mod flapping;
mod hold;
mod laws;
mod no_data;
mod reference;
mod wake;
mod world;
