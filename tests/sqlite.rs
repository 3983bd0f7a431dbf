//! What only SQLite does: its settings, its locks, its failures, its file.
#![cfg(feature = "sqlite")]

mod sqlite {
    mod aggregates;
    mod application_error;
    mod backup;
    mod corrupted;
    mod database;
    mod end_of_log;
    mod ended;
    mod full;
    #[cfg(feature = "transfer")]
    mod importing;
    mod lent;
    mod locked;
    mod memory;
    mod migrations;
    mod options;
    mod partitions;
    mod plans;
    mod prepared;
    mod read_only;
    mod readable;
    mod replace;
    mod room;
    mod run_again;
    mod second_connection;
    mod statements;
    mod triggers;
    mod writer {
        mod closures;
        mod failures;
        mod futures;
        mod gate;
        mod linearizable;
        mod outcomes;
        mod queue;
        mod shutdown;
    }
}
