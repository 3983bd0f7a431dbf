use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use test_support::{Result, eventually};

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
