use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use diesel::mysql::MysqlConnection;
use test_support::{Result, count, eventually};

/// InnoDB looks for transactions again only when it has not been asked for a tenth of a second. So one test
/// asks at a time, and not more often than that.
pub fn until_named(mut is_named: impl FnMut() -> Result<bool>) -> Result {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
    eventually("the transaction to be named", || {
        thread::sleep(Duration::from_millis(200));
        is_named()
    })
}

/// Until so many wait for those who use a table, to create or drop a trigger of it, or to empty it.
pub fn until_waiting(conn: &mut MysqlConnection, number: i64) -> Result {
    let waiting =
        "information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for %metadata lock'";
    eventually("somebody to wait for a table", || Ok(count(conn, waiting)? == number))
}
