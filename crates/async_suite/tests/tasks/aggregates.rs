//! Commands in tasks, on one aggregate.

use std::convert::Infallible;

use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase};
use real::{Aggregate, AggregateRef, AsyncEventConnection, AsyncEventStore, Decide, Error, Event, Evolve};

const STORE: AsyncEventStore = AsyncEventStore::new();

#[derive(Event)]
enum AccountEvent {
    #[event(name = "MoneyDeposited")]
    Deposited { cents: i64 },
}

struct Account {
    cents: i64,
}

impl Evolve for Account {
    type Event = AccountEvent;

    fn evolve(self, AccountEvent::Deposited { cents }: AccountEvent) -> Self {
        Self { cents: self.cents + cents }
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "Account";

    fn initial(_id: &str) -> Self {
        Self { cents: 0 }
    }
}

struct Deposit {
    cents: i64,
}

impl Decide<Deposit> for Account {
    type Error = Infallible;

    fn decide(&self, &Deposit { cents }: &Deposit) -> Result<Vec<AccountEvent>, Infallible> {
        Ok(vec![AccountEvent::Deposited { cents }])
    }
}

fn account() -> AggregateRef<Account, AsyncEventStore> {
    STORE.aggregate("a")
}

#[test]
fn commands_of_many_tasks_all_get_through_postgres() -> Result {
    all_get_through(|database: &AsyncPostgres| Ok(database.connect()?.into_inner()))
}

#[test]
fn commands_of_many_tasks_all_get_through_mysql() -> Result {
    all_get_through(|database: &AsyncMysql| Ok(database.connect()?.into_inner()))
}

#[test]
fn commands_of_many_tasks_all_get_through() -> Result {
    all_get_through(|database: &AsyncSqlite| Ok(database.connect()?.into_inner()))
}

const TASKS: i64 = 8;

fn all_get_through<D, C>(open: fn(&D) -> Result<C>) -> Result
where
    D: TestDatabase,
    C: AsyncEventConnection + 'static,
{
    let database = D::migrated()?;
    let tasks = (0..TASKS).map(|_| Ok(RUNTIME.spawn(work(open(&database)?))));
    for task in tasks.collect::<Result<Vec<_>>>()? {
        RUNTIME.block_on(task)??;
    }
    let loaded = RUNTIME.block_on(account().load(&mut open(&database)?))?;
    assert_eq!((loaded.state.cents, loaded.version), (TASKS * 6, TASKS * 6));
    Ok(())
}

/// Alone, and in a transaction of the task.
async fn work<C: AsyncEventConnection>(mut conn: C) -> Result<(), Error> {
    for _ in 0..3 {
        let alone = account().attempts(200).execute(&mut conn, &Deposit { cents: 1 }).await?;
        assert_eq!(alone.state.cents, alone.version);
        let in_a_transaction = async |conn: &mut C| -> Result<(), Error> {
            let done = account().execute(conn, &Deposit { cents: 1 }).await?;
            assert_eq!(done.attempts, 1);
            Ok(())
        };
        STORE.transaction(&mut conn, in_a_transaction).await?;
    }
    Ok(())
}
