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
