//! A database of its own for each test, and the few things that nearly all of them do.

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_event_store::{
    AppendError, Appended, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogQuery, Position,
    StreamId,
};
use test_support::{self, Mysql, Result, TestDatabase, counted, execute};

pub const STORE: EventStore = EventStore::new();

/// Tests that change something of the whole server have it to themselves.
static SERVER: RwLock<()> = RwLock::new(());

pub struct Database {
    mysql: Mysql,
    _share: Option<Share>,
}

#[allow(dead_code)] // What is in it is only held.
enum Share {
    Some(RwLockReadGuard<'static, ()>),
    All(RwLockWriteGuard<'static, ()>),
}

impl Database {
    pub fn empty() -> Result<Self> {
        let share = Share::Some(SERVER.read().unwrap_or_else(|poisoned| poisoned.into_inner()));
        Ok(Self { mysql: Mysql::create()?, _share: Some(share) })
    }

    pub fn migrated() -> Result<Self> {
        Self::empty()?.migrate()
    }

    pub fn in_a_server_of_its_own() -> Result<Self> {
        let share = Share::All(SERVER.write().unwrap_or_else(|poisoned| poisoned.into_inner()));
        Self { mysql: Mysql::create()?, _share: Some(share) }.migrate()
    }

    /// Another one in the same server, for as long as this one is there.
    pub fn neighbour(&self) -> Result<Self> {
        Ok(Self { mysql: Mysql::create()?, _share: None })
    }

    fn migrate(self) -> Result<Self> {
        diesel_event_store::run_pending_migrations(&mut self.connect()?)?;
        Ok(self)
    }

    pub fn url(&self) -> String {
        self.mysql.url()
    }

    pub fn connect(&self) -> Result<MysqlConnection> {
        self.mysql.connect()
    }

    pub fn connect_in(&self, isolation_level: &str) -> Result<MysqlConnection> {
        let mut conn = self.connect()?;
        execute(&mut conn, &format!("SET SESSION TRANSACTION ISOLATION LEVEL {isolation_level}"))?;
        Ok(conn)
    }

    /// As somebody who may do no more than this, on each of the tables.
    pub fn connect_as(&self, user: &str, privileges: &str) -> Result<MysqlConnection> {
        let name = self.url().rsplit('/').next().unwrap_or_default().to_owned();
        let user = format!("{user}_{}", &name[name.len() - 12..]);
        let mut conn = self.connect()?;
        execute(&mut conn, &format!("CREATE USER '{user}'@'%'"))?;
        execute(&mut conn, &format!("GRANT {privileges} ON {name}.* TO '{user}'@'%'"))?;
        let (_, server) =
            self.url().split_once('@').map(|(_, s)| ((), s.to_owned())).ok_or("a user in the URL")?;
        Ok(MysqlConnection::establish(&format!("mysql://{user}@{server}"))?)
    }
}

/// Whether the server is MariaDB, and not MySQL.
pub fn is_mariadb(conn: &mut MysqlConnection) -> Result<bool> {
    Ok(text(conn, "VERSION()")?.contains("MariaDB"))
}

pub fn text(conn: &mut MysqlConnection, expression: &str) -> Result<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        value: Option<String>,
    }
    let row: Row =
        diesel::sql_query(format!("SELECT CAST({expression} AS CHAR) AS value")).get_result(conn)?;
    Ok(row.value.unwrap_or_default())
}

pub fn number(conn: &mut MysqlConnection, expression: &str) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let row: Row =
        diesel::sql_query(format!("SELECT CAST({expression} AS SIGNED) AS value")).get_result(conn)?;
    Ok(row.value)
}

pub fn begin(conn: &mut MysqlConnection) -> Result {
    Ok(AnsiTransactionManager::begin_transaction(conn)?)
}

pub fn commit(conn: &mut MysqlConnection) -> Result {
    Ok(AnsiTransactionManager::commit_transaction(conn)?)
}

pub fn rollback(conn: &mut MysqlConnection) -> Result {
    Ok(AnsiTransactionManager::rollback_transaction(conn)?)
}

/// One event in the stream of this name.
pub fn append(conn: &mut MysqlConnection, name: &str) -> Result<Appended, AppendError> {
    let stream = StreamId::new("Test", name)?;
    STORE.append(conn, &stream, ExpectedVersion::Any, &counted(1)?)
}

/// The streams of all events in the log, and that reading on in small steps and backward finds the same.
pub fn log(conn: &mut MysqlConnection) -> Result<Vec<String>> {
    let all = STORE.read_forward(conn, Position::START, 1000)?;
    let steps = STORE.iter_log(conn, LogQuery::after(Position::START)).page_size(1);
    assert_eq!(steps.collect::<Result<Vec<_>, _>>()?, all.events());
    let mut backward = STORE.read_backward(conn, Position::END, 1000)?.into_events();
    backward.reverse();
    assert_eq!(backward, all.events());
    assert_eq!(STORE.last_position(conn)?, all.scanned_to());
    Ok(all.events().iter().map(|event| event.aggregate_id().to_owned()).collect())
}

pub fn kind_of(error: impl Into<Error>) -> DatabaseErrorKind {
    match error.into() {
        Error::Append(AppendError::Database(error)) => error.kind(),
        Error::Read(diesel_event_store::ReadError::Database(error)) => error.kind(),
        Error::Checkpoint(diesel_event_store::CheckpointError::Database(error)) => error.kind(),
        Error::Migration(diesel_event_store::MigrationError::Database(error)) => error.kind(),
        Error::Ordering(diesel_event_store::OrderingError::Database(error)) => error.kind(),
        Error::Database(error) => error.kind(),
        other => panic!("not the database's: {other:?}"),
    }
}

/// Has the server end a connection, and waits until nothing is left of it.
pub fn kill(conn: &mut MysqlConnection, id: i64) -> Result {
    execute(conn, &format!("KILL CONNECTION {id}"))?;
    while test_support::count(conn, &format!("information_schema.processlist WHERE id = {id}"))? > 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Ok(())
}
