//! What only MySQL and MariaDB do: the fence of two rows, their isolation levels, their failures, their limits.
#![cfg(feature = "mysql")]

#[macro_use]
#[allow(dead_code, unused_imports)] // The suite needs more of it.
mod support;

mod mysql {
    mod database;
    mod errors;
    mod fence;
    mod isolation;
    mod migrations;
    mod modes;
    mod ordering;
    mod packets;
    mod prepared;
    mod published;
    mod transactions;
}
