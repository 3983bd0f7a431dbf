//! The smallest aggregate: events, a state, commands, and a test without a database:
//! `cargo run --features derive --example bank_account`

use diesel::prelude::*;
use diesel_event_store::testing::given;
use diesel_event_store::{Aggregate, Decide, Error, Event, EventStore, Evolve};

/// What can happen to an account. The names are what is stored.
#[derive(Debug, Clone, PartialEq, Event)]
enum AccountEvent {
    #[event(name = "MoneyDeposited")]
    Deposited { cents: u64 },
    #[event(name = "MoneyWithdrawn")]
    Withdrawn { cents: u64 },
}

/// What a decision needs to know.
#[derive(Debug)]
struct Account {
    cents: u64,
}

impl Evolve for Account {
    type Event = AccountEvent;

    fn evolve(self, event: AccountEvent) -> Self {
        match event {
            AccountEvent::Deposited { cents } => Self { cents: self.cents + cents },
            AccountEvent::Withdrawn { cents } => Self { cents: self.cents - cents },
        }
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "Account";

    fn initial(_id: &str) -> Self {
        Self { cents: 0 }
    }
}

struct Deposit {
    cents: u64,
}

struct Withdraw {
    cents: u64,
}

#[derive(Debug, PartialEq, thiserror::Error)]
enum Refused {
    #[error("the account has only {has} cents")]
    NotEnough { has: u64 },
    #[error("no account can hold that much")]
    TooMuch,
}

/// What is decided can be folded: an event that is recorded cannot be refused any more.
impl Decide<Deposit> for Account {
    type Error = Refused;

    fn decide(&self, &Deposit { cents }: &Deposit) -> Result<Vec<AccountEvent>, Refused> {
        self.cents.checked_add(cents).ok_or(Refused::TooMuch)?;
        Ok(vec![AccountEvent::Deposited { cents }])
    }
}

impl Decide<Withdraw> for Account {
    type Error = Refused;

    fn decide(&self, &Withdraw { cents }: &Withdraw) -> Result<Vec<AccountEvent>, Refused> {
        self.cents.checked_sub(cents).ok_or(Refused::NotEnough { has: self.cents })?;
        Ok(vec![AccountEvent::Withdrawn { cents }])
    }
}

fn main() -> Result<(), Error> {
    without_a_database();

    let mut conn = SqliteConnection::establish(":memory:").expect("a database in memory");
    diesel_event_store::run_pending_migrations(&mut conn)?;

    let alice = || EventStore::new().aggregate::<Account>("alice").correlation_id("request-4711");
    alice().execute(&mut conn, &Deposit { cents: 500 })?;
    let done = alice().execute(&mut conn, &Withdraw { cents: 200 })?;
    assert_eq!((done.state.cents, done.version), (300, 2));

    let refused = alice().execute(&mut conn, &Withdraw { cents: 301 }).expect_err("it is too much");
    println!("Alice cannot have 301 cents: {refused}");

    let loaded = alice().load(&mut conn)?;
    assert_eq!((loaded.state.cents, loaded.version), (300, 2));
    println!("✓ {} cents after {} events", loaded.state.cents, loaded.version);
    Ok(())
}

/// In an application, these are tests.
fn without_a_database() {
    let deposited = AccountEvent::Deposited { cents: 500 };
    given::<Account>("alice", [deposited.clone()])
        .when(&Withdraw { cents: 200 })
        .then([AccountEvent::Withdrawn { cents: 200 }])
        .then_state(|account| assert_eq!(account.cents, 300));
    given::<Account>("alice", [deposited.clone()])
        .when(&Withdraw { cents: 501 })
        .then_rejected(Refused::NotEnough { has: 500 });
    given::<Account>("alice", [deposited]).when(&Deposit { cents: u64::MAX }).then_rejected(Refused::TooMuch);
}
