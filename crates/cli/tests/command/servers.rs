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

/// Nobody listens at the port 1.
#[cfg(feature = "postgres")]
#[test]
fn a_password_is_not_shown() {
    let (code, said) = super::run::failure("postgres://shop:s3cret@127.0.0.1:1/shop", &["status"]);
    assert_eq!(code, 1);
    assert!(said.starts_with("error: ") && !said.contains("s3cret"), "{said}");
    let help = super::run::answer("postgres://shop:s3cret@db/shop", &["--help"]);
    assert!(!help.contains("s3cret"), "{help}");
}

#[cfg(feature = "postgres")]
#[test]
fn the_status_of_postgres_is_shown() {
    use test_support::TestDatabase;
    let db = test_support::Postgres::migrated().unwrap();
    super::shop::append(&mut db.connect().unwrap(), "o-1", &["OrderPlaced"]);
    let status = super::run::answer(&db.url(), &["status"]);
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
