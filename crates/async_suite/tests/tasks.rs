//! In tasks that a runtime moves from thread to thread, and on connections that only asynchronous
//! applications have.

mod tasks {
    mod application_enum;
    mod keys;
    mod lost;
    mod mixed;
    mod runtimes;
    mod spawned;
}
