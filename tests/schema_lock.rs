//! The schema lock: what it finds, what it lets pass, what it writes, and what it says. No database is
//! needed.

mod schema_lock {
    mod alternatives;
    mod evolution;
    mod fields;
    mod file;
    mod lock;
    mod messages;
    mod modes;
    mod no_prelude;
    mod snapshots;
    mod texts;
}
