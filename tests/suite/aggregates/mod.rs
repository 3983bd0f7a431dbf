//! Aggregates: load, decide and append is one call.

use test_support::TestDatabase;

pub mod bad_input;
pub mod contention;
pub mod executing;
pub mod expecting;
pub mod in_transactions;
pub mod keys;
pub mod snapshots;
pub mod states;
pub mod transactions;

mod account;

pub use account::{Account, AccountEvent, Deposit, FOLDED, NotEnough, Withdraw, account, fund};

/// Everything about aggregates.
pub fn all<D: TestDatabase>() -> Vec<super::Area> {
    areas! { D: executing, contention, expecting, keys, snapshots, states, in_transactions, transactions, bad_input }
}
