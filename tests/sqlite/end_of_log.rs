use diesel_event_store::ExpectedVersion;
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, events, stream};
use super::statements::Watch;

#[test]
fn a_reader_at_the_end_of_the_log_asks_for_no_events() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let appended = STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &events(3)).unwrap();

    let watch = Watch::on(&mut conn);
    let slice = STORE.read_forward(&mut conn, appended.last_position(), 10).unwrap();

    assert!(slice.is_empty() && slice.is_end());
    assert_eq!(slice.scanned_to(), appended.last_position());
    let run = &watch.statements().run;
    assert_eq!(run.len(), 1, "{run:?}");
}
