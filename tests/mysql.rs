//! What only MySQL and MariaDB do: the fence of two rows, their isolation levels, their failures, their limits.
#![cfg(feature = "mysql")]

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
