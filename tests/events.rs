//! Typed events, as the derive macro makes them: what is stored, and what is read. No database is needed.

mod events {
    mod decoding;
    mod evolution;
    mod names;
    mod payload;
    mod reexported;
    mod shop;
}
