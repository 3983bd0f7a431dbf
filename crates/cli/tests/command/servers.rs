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
    assert!(status.contains("  PostgreSQL 1") && status.contains("to position 1  Fenced"), "{status}");
    assert_eq!(super::run::answer(&db.url(), &["streams"]), "Order  o-1  1\n");
}

#[cfg(feature = "mysql")]
#[test]
fn the_status_of_mysql_is_shown() {
    use test_support::TestDatabase;
    let db = test_support::Mysql::migrated().unwrap();
    super::shop::append(&mut db.connect().unwrap(), "o-1", &["OrderPlaced"]);
    let status = super::run::answer(&db.url(), &["status"]);
    let server =
        test_support::sql::names(&mut db.connect().unwrap(), "SELECT VERSION() AS name").unwrap().remove(0);
    let name = if server.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    let version = server.split('-').next().unwrap();
    assert!(
        status.contains(&format!("  {name} {version}  log ")) && status.contains("to position 1  Fenced"),
        "{status}"
    );
    assert_eq!(super::run::answer(&db.url(), &["streams"]), "Order  o-1  1\n");
}

#[cfg(feature = "postgres")]
#[test]
fn the_status_of_postgres_tells_who_holds_back_the_log() {
    use serde_json::Value;
    use test_support::{TestDatabase, execute};
    let db = test_support::Postgres::migrated().unwrap();
    let (mut slow, mut quick) = (db.connect().unwrap(), db.connect().unwrap());
    execute(&mut slow, "SET application_name = 'slow'").unwrap();
    diesel::Connection::transaction::<_, diesel_event_store::Error, _>(&mut slow, |slow| {
        super::shop::append(slow, "o-1", &["OrderPlaced"]);
        super::shop::append(&mut quick, "o-2", &["OrderPlaced"]);
        let status = super::run::answer(&db.url(), &["status", "--json"]);
        let status: Value = serde_json::from_str(status.lines().next().unwrap()).unwrap();
        assert_eq!(status["held_back"], 2, "{status}");
        assert_eq!(status["held_back_by"][0]["name"], "slow", "{status}");
        assert!(status["held_back_by"][0]["since"].is_string(), "{status}");
        Ok(())
    })
    .unwrap();
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
