//! MySQL or MariaDB, in the server that `TEST_MYSQL_URL` names.

use diesel::prelude::*;

use super::server::Place;
use crate::{Result, TestDatabase};

/// Through diesel's own connection, in the isolation level that the server gives, which is REPEATABLE READ.
pub struct Mysql {
    place: Place,
}

impl TestDatabase for Mysql {
    type Conn = MysqlConnection;
    const CREATING_COMMITS: bool = true;

    fn create() -> Result<Self> {
        let place = Place::in_server("TEST_MYSQL_URL")?;
        let create = format!("CREATE DATABASE {}", place.name());
        diesel::sql_query(create).execute(&mut MysqlConnection::establish(place.server_url())?)?;
        Ok(Self { place })
    }

    fn url(&self) -> String {
        self.place.url()
    }

    fn connect(&self) -> Result<MysqlConnection> {
        Ok(MysqlConnection::establish(&self.url())?)
    }
}

impl Drop for Mysql {
    fn drop(&mut self) {
        if let Err(error) = drop_database(&self.place) {
            eprintln!("DROP DATABASE {}: {error}", self.place.name());
        }
    }
}

fn drop_database(place: &Place) -> Result {
    let mut conn = MysqlConnection::establish(place.server_url())?;
    // A transaction that is still open in it would be waited for, for a day.
    diesel::sql_query("SET SESSION lock_wait_timeout = 30").execute(&mut conn)?;
    diesel::sql_query(format!("DROP DATABASE {}", place.name())).execute(&mut conn)?;
    Ok(())
}

/// In the other isolation level that applications choose.
pub struct ReadCommitted {
    mysql: Mysql,
}

impl TestDatabase for ReadCommitted {
    type Conn = MysqlConnection;
    const CREATING_COMMITS: bool = true;

    fn create() -> Result<Self> {
        Ok(Self { mysql: Mysql::create()? })
    }

    fn url(&self) -> String {
        self.mysql.url()
    }

    fn connect(&self) -> Result<MysqlConnection> {
        let mut conn = self.mysql.connect()?;
        diesel::sql_query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut conn)?;
        Ok(conn)
    }
}
