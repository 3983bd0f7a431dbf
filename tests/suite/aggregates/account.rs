//! A bank account, which counts the events that are folded.

use std::cell::Cell;
use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, AggregateRef, Decide, Event, EventConnection, EventStore, Evolve, RecordedEvent, StreamId,
    UpcastError,
};
use test_support::Result;

thread_local! {
    /// How many events this thread has folded into accounts.
    pub static FOLDED: Cell<u32> = const { Cell::new(0) };
}

#[derive(Debug, Clone, PartialEq, Event)]
#[event(retired(name = "AccountLookedAt"))]
#[event(retired(name = "MoneyDepositedTwice", split = split))]
pub enum AccountEvent {
    #[event(name = "MoneyDeposited")]
    Deposited { cents: i64 },
    #[event(name = "MoneyWithdrawn")]
    Withdrawn { cents: i64 },
}

fn split(recorded: &RecordedEvent) -> Result<Vec<AccountEvent>, UpcastError> {
    let cents = recorded.payload()?;
    Ok(vec![AccountEvent::Deposited { cents }; 2])
}

#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub id: String,
    pub cents: i64,
    /// How many events were folded into this state.
    pub folded: u32,
}

impl Evolve for Account {
    type Event = AccountEvent;

    fn evolve(self, event: AccountEvent) -> Self {
        FOLDED.set(FOLDED.get() + 1);
        let cents = match event {
            AccountEvent::Deposited { cents } => self.cents + cents,
            AccountEvent::Withdrawn { cents } => self.cents - cents,
        };
        Self { cents, folded: self.folded + 1, ..self }
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "Account";

    fn initial(id: &str) -> Self {
        Self { id: id.to_owned(), cents: 0, folded: 0 }
    }
}

/// Of nothing is no event.
pub struct Deposit(pub i64);

impl Decide<Deposit> for Account {
    type Error = Infallible;

    fn decide(&self, &Deposit(cents): &Deposit) -> Result<Vec<AccountEvent>, Infallible> {
        Ok(if cents == 0 { vec![] } else { vec![AccountEvent::Deposited { cents }] })
    }
}

pub struct Withdraw(pub i64);

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("there are only {0} cents")]
pub struct NotEnough(pub i64);

impl Decide<Withdraw> for Account {
    type Error = NotEnough;

    fn decide(&self, &Withdraw(cents): &Withdraw) -> Result<Vec<AccountEvent>, NotEnough> {
        if cents > self.cents {
            return Err(NotEnough(self.cents));
        }
        Ok(vec![AccountEvent::Withdrawn { cents }])
    }
}

pub fn account(id: &str) -> AggregateRef<Account> {
    EventStore::new().aggregate(id)
}

/// So many deposits of one cent each, in one append.
pub fn fund(conn: &mut impl EventConnection, id: &str, deposits: usize) -> Result<StreamId> {
    let deposits = vec![AccountEvent::Deposited { cents: 1 }; deposits];
    account(id).update(conn, |_| Ok::<_, Infallible>(deposits.clone()))?;
    Ok(StreamId::new(Account::TYPE, id)?)
}
