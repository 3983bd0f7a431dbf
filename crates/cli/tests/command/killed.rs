//! An import that is killed, again and again, until it comes to its end.

use std::thread;
use std::time::Duration;

use diesel_event_store::{EventConnection, EventStore};
use test_support::TestDatabase;
use test_support::random::Random;
use test_support::sqlite_file::SqliteFile;

use super::run::{answer, command, wanted_kills};
use super::shop::{append, url};

/// A log of more than one batch goes to new databases, until the import was killed often enough.
pub fn goes_on<D: TestDatabase>()
where
    D::Conn: EventConnection,
{
    let source = SqliteFile::migrated();
    for order in 0..120 {
        append(&mut source.connect(), &order.to_string(), &["OrderPlaced"; 100]);
    }
    let file = source.path().with_extension("zst").display().to_string();
    answer(&url(&source), &["export", &file]);
    let (mut random, mut kills) = (Random::from_seed(7), 0);
    while kills < wanted_kills(3) {
        let target = D::migrated().unwrap();
        kills += import_killed(&target.url(), &file, &mut random);
        assert_same(&target, &source);
    }
}

fn assert_same<D: TestDatabase>(target: &D, source: &SqliteFile)
where
    D::Conn: EventConnection,
{
    assert_eq!(answer(&target.url(), &["export", "-"]), answer(&url(source), &["export", "-"]));
    let mut conn = target.connect().unwrap();
    assert!(EventStore::new().repair(&mut conn).unwrap().is_nothing());
    append(&mut conn, "0", &["OrderPaid"]);
}

/// How often it was killed. It is given a little longer each time.
fn import_killed(url: &str, file: &str, random: &mut Random) -> u32 {
    let (mut longest, mut kills) = (100, 0);
    loop {
        let mut import = command(&["import", file]).env("DATABASE_URL", url).spawn().unwrap();
        thread::sleep(Duration::from_millis(random.below(longest)));
        import.kill().unwrap();
        match import.wait().unwrap().code() {
            Some(0) => return kills,
            Some(code) => panic!("the import has ended by itself with {code}"),
            None => {}
        }
        kills += 1;
        longest += longest / 4;
    }
}

#[test]
fn a_killed_import_goes_on() {
    goes_on::<test_support::Sqlite>();
}
