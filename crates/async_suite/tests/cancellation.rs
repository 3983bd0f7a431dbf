//! What a future leaves behind that is dropped, at every place where it waits: the operation has happened
//! wholly or not at all, and what is acknowledged afterwards is recorded.

extern crate real as diesel_event_store;

mod cancellation {
    mod application;
    mod database;
    mod dropped;
    mod given_up;
    mod migrations;
    mod operation;
    mod pool;
    mod tally;

    mod alone;
    mod beginning;
    mod transaction;
}
