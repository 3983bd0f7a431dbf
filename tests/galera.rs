//! A cluster of Galera, whose three nodes all take writes: `TEST_GALERA_URLS` names them, with commas between.
#![cfg(feature = "mysql")]

#[macro_use]
#[allow(dead_code, unused_imports)] // The suite needs more of it.
mod support;

mod galera {
    mod appends;
    mod cluster;
    mod fenced;
    mod migrations;
}
