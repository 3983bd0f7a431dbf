//! What projections promise, with handlers that are awaited.

extern crate real as diesel_event_store;

mod projections {
    mod caught_up;
    mod database;
    mod dropped;
    mod failures;
    mod inline;
    mod operating;
    mod pool_postgres;
    mod read_model;
    mod runner;
    mod together;
    mod typed;

    #[path = "../cancellation/dropped.rs"]
    mod drops;
}
