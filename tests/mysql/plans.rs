//! How MySQL and MariaDB find what is read again and again.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use test_support::filtered::{assert_that_a_page_costs_what_it_scans, fill_log};
use test_support::long_aggregate::{
    append_long_aggregate, assert_that_only_the_end_is_read, load_long_aggregate,
};
use test_support::look::{look_of_a_runner, park_many};
use test_support::{self, Mysql, Result, TestDatabase, execute};

use super::database::{Database, STORE};

/// By this session, in all tables. To ask costs rows, too, each time as many.
fn rows_read(conn: &mut MysqlConnection) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Variable {
        #[diesel(sql_type = Text, column_name = "Value")]
        value: String,
    }
    let variables: Vec<Variable> =
        diesel::sql_query("SHOW SESSION STATUS LIKE 'Handler_read%'").load(conn)?;
    variables.iter().map(|variable| Ok(variable.value.parse::<i64>()?)).sum()
}

#[test]
fn a_page_of_the_log_costs_what_it_scans_with_every_filter() -> Result {
    let database = Database::migrated()?;
    fill_log(&mut database.connect()?)?;
    for statistics in ["SELECT 1", "ANALYZE TABLE events"] {
        let mut conn = database.connect()?;
        execute(&mut conn, statistics)?;
        // Who opens a table first reads what MySQL knows of it.
        STORE.archived_to(&mut conn)?;
        let cost_of_asking = -(rows_read(&mut conn)? - rows_read(&mut conn)?);
        assert_that_a_page_costs_what_it_scans(|query| {
            let before = rows_read(&mut conn)?;
            let slice = STORE.read_log(&mut conn, query, 10)?;
            Ok((slice, rows_read(&mut conn)? - before - cost_of_asking))
        })?;
    }
    Ok(())
}

#[test]
fn a_long_aggregate_is_read_from_its_snapshot_on() -> Result {
    let database = Database::migrated()?;
    append_long_aggregate(&mut database.connect()?)?;
    for statistics in ["SELECT 1", "ANALYZE TABLE events, snapshots"] {
        let mut conn = database.connect()?;
        execute(&mut conn, statistics)?;
        // Who opens a table first reads what MySQL knows of it.
        load_long_aggregate(&mut conn)?;
        assert_that_only_the_end_is_read(&mut conn, rows_read)?;
    }
    Ok(())
}

/// As rows that are read: MySQL looks at the table already to explain this statement, so a plan does not name
/// its index.
#[test]
fn an_idle_runner_finds_requests_without_looking_at_what_is_parked() -> Result {
    const FEW: i64 = 30;

    let db = Arc::new(Mysql::migrated()?);
    let look = look_of_a_runner(&db)?;
    let mut conn = db.connect()?;
    park_many(&mut conn)?;
    execute(&mut conn, "ANALYZE TABLE parked_events")?;
    let with_values =
        ["'nothing'", "1"].iter().cycle().take(8).fold(look, |sql, value| sql.replacen('?', value, 1));
    let cost_of_asking = -(rows_read(&mut conn)? - rows_read(&mut conn)?);
    let before = rows_read(&mut conn)?;
    execute(&mut conn, &with_values)?;
    let rows = rows_read(&mut conn)? - before - cost_of_asking;
    assert!(rows < FEW, "{rows} rows");
    Ok(())
}
