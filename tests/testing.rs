//! The test kit: what it compares, and what it says when a test fails.

mod testing {
    mod door;
    mod failures;
    mod recorded;
    mod snapshots;
    mod successes;
}
