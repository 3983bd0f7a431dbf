use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use diesel_event_store::{
    AppendError, DatabaseErrorKind, EventConnection, ExpectedVersion, NewEvent, StreamId,
};
use test_support::random::Random;

use super::accounts::{Payload, STORE};
use super::client::Client;

const WRITERS: usize = 2;
const ACCOUNTS: u64 = 12;
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// More than a test needs, and an end: something moves for as long as there is a load, even if a test waits
/// in vain.
const MOST_APPENDS: usize = 50_000;

/// Threads that append all the time, to accounts that they share.
pub struct Load<'scope> {
    is_over: &'scope AtomicBool,
    writers: Vec<ScopedJoinHandle<'scope, test_support::Result>>,
}

impl<'scope> Load<'scope> {
    /// One in so many events is in trouble until it is mended, if any is.
    pub fn start<C: Client>(
        scope: &'scope Scope<'scope, '_>,
        url: &'scope str,
        is_over: &'scope AtomicBool,
        random: &mut Random,
        one_in_trouble: Option<u64>,
    ) -> Self {
        let writers = (0..WRITERS)
            .map(|_| {
                let mut writer = Writer { random: Random::from_seed(random.draw()), one_in_trouble };
                scope.spawn(move || writer.work::<C>(url, is_over))
            })
            .collect();
        Self { is_over, writers }
    }

    /// Ends it, and waits until it has ended.
    pub fn end(mut self) -> test_support::Result {
        self.is_over.store(true, Ordering::Relaxed);
        let mut writers = self.writers.drain(..);
        writers.try_for_each(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for Load<'_> {
    /// Whoever fails waits for its threads.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

struct Writer {
    random: Random,
    one_in_trouble: Option<u64>,
}

impl Writer {
    /// With another connection whenever the server is gone.
    fn work<C: Client>(&mut self, url: &str, is_over: &AtomicBool) -> test_support::Result {
        let mut appends = 0;
        let is_over = |appends| appends == MOST_APPENDS || is_over.load(Ordering::Relaxed);
        while !is_over(appends) {
            let Ok(mut conn) = C::open(url) else {
                thread::sleep(LONGEST_PAUSE);
                continue;
            };
            while !is_over(appends) {
                match self.append(&mut conn) {
                    Ok(()) => appends += 1,
                    Err(AppendError::Database(error))
                        if error.kind() == DatabaseErrorKind::ConnectionLost =>
                    {
                        break;
                    }
                    Err(error) if error.is_retryable() => {}
                    Err(error) => return Err(error.into()),
                }
                thread::sleep(Duration::from_micros(self.random.below(LONGEST_PAUSE.as_micros() as u64)));
            }
        }
        Ok(())
    }

    fn append<C: EventConnection>(&mut self, conn: &mut C) -> Result<(), AppendError> {
        let account = StreamId::new("Account", self.random.below(ACCOUNTS))?;
        let events: Vec<NewEvent> = (0..=self.random.below(4)).map(|_| self.event()).collect();
        STORE.append(conn, &account, ExpectedVersion::Any, &events).map(drop)
    }

    fn event(&mut self) -> NewEvent {
        let amount = self.random.below(1000) as i64 - 300;
        let is_in_trouble = self.one_in_trouble.is_some_and(|others| self.random.below(others) == 0);
        let payload: Payload = (amount, is_in_trouble);
        NewEvent::new("Booked", &payload).expect("a number is JSON")
    }
}
