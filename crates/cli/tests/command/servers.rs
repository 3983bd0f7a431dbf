//! What depends on the kind of database.

#[cfg(feature = "postgres")]
#[test]
fn a_killed_import_into_postgres_goes_on() {
    super::killed::goes_on::<test_support::Postgres>();
}

#[cfg(feature = "mysql")]
#[test]
fn a_killed_import_into_mysql_goes_on() {
    super::killed::goes_on::<test_support::Mysql>();
}

#[cfg(feature = "postgres")]
#[test]
fn a_killed_archive_of_postgres_goes_on() {
    super::archiving::goes_on::<test_support::Postgres>();
}

#[cfg(feature = "mysql")]
#[test]
fn a_killed_archive_of_mysql_goes_on() {
    super::archiving::goes_on::<test_support::Mysql>();
}

#[cfg(feature = "postgres")]
#[test]
fn a_killed_copy_between_sqlite_and_postgres_goes_on() {
    super::copying_killed::moves_to_and_fro::<test_support::Sqlite, test_support::Postgres>(10);
}

#[cfg(feature = "mysql")]
#[test]
fn a_killed_copy_between_sqlite_and_mysql_goes_on() {
    super::copying_killed::moves_to_and_fro::<test_support::Sqlite, test_support::Mysql>(10);
}

#[cfg(all(feature = "postgres", feature = "mysql"))]
#[test]
fn a_killed_copy_between_servers_goes_on() {
    super::copying_killed::moves_to_and_fro::<test_support::Postgres, test_support::Mysql>(10);
}

#[cfg(feature = "postgres")]
#[test]
fn the_status_of_postgres_is_shown() {
    use test_support::TestDatabase;
    let db = test_support::Postgres::migrated().unwrap();
    super::shop::append(&mut db.connect().unwrap(), "o-1", &["OrderPlaced"]);
    // The server of the tests trusts everybody, whatever the password.
    let url = db.url().replacen("postgres@", "postgres:s3cret@", 1);
    let status = super::run::answer(&url, &["status"]);
    assert!(!status.contains("s3cret") && !super::run::answer(&url, &["--help"]).contains("s3cret"));
    assert!(status.contains("PostgreSQL  log ") && status.contains("to position 1  Fenced"), "{status}");
    assert_eq!(super::run::answer(&db.url(), &["streams"]), "Order  o-1  1\n");
}

#[cfg(feature = "mysql")]
#[test]
fn the_status_of_mysql_is_shown() {
    use test_support::TestDatabase;
    let db = test_support::Mysql::migrated().unwrap();
    super::shop::append(&mut db.connect().unwrap(), "o-1", &["OrderPlaced"]);
    let status = super::run::answer(&db.url(), &["status"]);
    assert!(status.contains("MySQL  log ") && status.contains("to position 1  Fenced"), "{status}");
    assert_eq!(super::run::answer(&db.url(), &["streams"]), "Order  o-1  1\n");
}

/// The servers of the tests do not write to the disk at each commit, which is told, too.
#[cfg(feature = "postgres")]
#[test]
fn the_doctor_knows_postgres() {
    use test_support::TestDatabase;
    let db = test_support::Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    super::shop::append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    let doctor = || super::run::text(&super::run::run(&db.url(), &["doctor"]).stdout);
    let sound = doctor();
    assert!(!sound.contains("next position") && !sound.contains("can be changed"), "{sound}");
    test_support::execute(&mut conn, "ALTER TABLE events DISABLE TRIGGER events_refuse_change").unwrap();
    let told = doctor();
    assert!(told.contains("can be changed"), "{told}");
    test_support::execute(&mut conn, "ALTER SEQUENCE events_global_position_seq CACHE 10").unwrap();
    assert!(doctor().contains("CACHE 1 NO CYCLE\n         type: diesel-event-store repair"));
    super::run::answer(&db.url(), &["repair", "--yes"]);
    assert!(!doctor().contains("diesel-event-store repair"));
}

#[cfg(feature = "mysql")]
#[test]
fn the_doctor_knows_mysql() {
    use test_support::TestDatabase;
    let db = test_support::Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    super::shop::append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    let doctor = || super::run::text(&super::run::run(&db.url(), &["doctor"]).stdout);
    let sound = doctor();
    assert!(!sound.contains("next position") && !sound.contains("can be changed"), "{sound}");
    test_support::execute(
        &mut conn,
        "DROP TRIGGER events_refuse_delete; UPDATE event_fence SET server_id = server_id + 1",
    )
    .unwrap();
    let told = doctor();
    assert!(told.contains("can be changed") && told.contains("on another server"), "{told}");
}

#[cfg(all(feature = "postgres", feature = "browse"))]
#[test]
fn the_pages_of_postgres_are_shown() {
    super::browse_pages::every_page_is_shown::<test_support::Postgres>();
    super::browse_pages::streams_of_many_tenants_go_on::<test_support::Postgres>();
}

#[cfg(all(feature = "mysql", feature = "browse"))]
#[test]
fn the_pages_of_mysql_are_shown() {
    super::browse_pages::every_page_is_shown::<test_support::Mysql>();
    super::browse_pages::streams_of_many_tenants_go_on::<test_support::Mysql>();
}
