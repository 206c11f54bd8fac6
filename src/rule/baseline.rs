//! What a new reading is compared with.
