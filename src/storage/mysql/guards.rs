//! What statements say of the transaction that they are in. Both are comments to MySQL.

/// A value that there is inside of transactions only. A node of Galera ends a transaction for the sake of
/// another node's, and does not always say so: the next statements succeed, each on its own. So what an
/// append writes is refused there by the constraint of its column, which wants a number above.
macro_rules! inside {
    ($value:literal) => {
        concat!("/*M! IF(@@in_transaction, */ ", $value, " /*M! , -1) */")
    };
}

pub(super) use inside;

/// A statement that reads and locks what is committed now, whatever the snapshot of the application's
/// transaction. MariaDB from 11.6.2 on would roll the transaction back (innodb_snapshot_isolation), which
/// MySQL and older versions of MariaDB do not.
macro_rules! current {
    ($($sql:tt)+) => {
        concat!("/*M!110402 SET STATEMENT innodb_snapshot_isolation = OFF FOR */ ", $($sql)+)
    };
}

pub(super) use current;
