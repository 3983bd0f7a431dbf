//! A cluster of Galera, whose three nodes all take writes: `TEST_GALERA_URLS` names them, with commas
//! between.
#![cfg(feature = "mysql")]

mod galera {
    mod appends;
    mod cluster;
    mod fenced;
    mod frozen;
    mod lost;
    mod migrations;
    mod nested;
}
