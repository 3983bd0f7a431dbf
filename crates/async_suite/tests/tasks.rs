//! In tasks that a runtime moves from thread to thread, and on connections that only asynchronous
//! applications have.

extern crate real as diesel_event_store;

mod tasks {
    mod aggregates;
    mod application_enum;
    mod ends_postgres;
    mod keys;
    mod lost;
    mod mixed;
    mod runtimes;
    mod set_up;
    mod shut_down;
    mod spawned;
}
