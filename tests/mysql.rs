//! What only MySQL and MariaDB do: the fence of two rows, their isolation levels, their failures, their
//! limits.
#![cfg(feature = "mysql")]

mod mysql {
    mod aggregates;
    mod asking;
    mod conflicts;
    mod database;
    mod ended;
    mod errors;
    mod fence;
    mod frozen;
    mod grants;
    mod held_back;
    mod isolation;
    mod lost;
    mod migrations;
    mod modes;
    #[cfg(feature = "transfer")]
    mod moving;
    mod ordering;
    mod other_server;
    mod packets;
    mod plans;
    mod prepared;
    mod proxy;
    mod published;
    mod repair;
    mod replica;
    mod savepoints;
    mod settings;
    mod statements;
    mod transactions;
    mod verified;
}
