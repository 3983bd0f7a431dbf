//! What statements say of the transaction and of the session that they are in. What `inside!` and `current!`
//! add are comments to MySQL.

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

/// Why texts would not be what they are, or NULL: the server converts what it is sent, and what it sends.
macro_rules! other_texts {
    () => {
        "IF(@@character_set_client = 'utf8mb4' AND @@character_set_connection = 'utf8mb4' \
         AND COALESCE(@@character_set_results, 'utf8mb4') = 'utf8mb4', NULL, \
         'the character set of the session is not utf8mb4; send SET NAMES utf8mb4')"
    };
}

pub(super) use other_texts;

/// Why nothing is appended and no log is read in this session, or NULL. COMMIT AND RELEASE ends the connection,
/// so that an append that was committed would be reported as lost.
macro_rules! unsuitable {
    () => {
        concat!(
            "COALESCE(",
            $crate::storage::mysql::guards::other_texts!(),
            ", IF(@@completion_type = 'RELEASE', \
             'completion_type is RELEASE; send SET completion_type = NO_CHAIN', NULL))"
        )
    };
}

pub(super) use unsuitable;

/// The same as a condition, which is an error then: the sum is too large, and the error tells why.
macro_rules! same_texts {
    () => {
        concat!("~0 + (", $crate::storage::mysql::guards::other_texts!(), " IS NOT NULL)")
    };
}

pub(super) use same_texts;
