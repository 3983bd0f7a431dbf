use std::convert::Infallible;

use real::{
    Aggregate, AggregateRef, AsyncEventConnection, AsyncEventStore, Decide, Error, Event, Evolve, Snapshots,
};
use serde::{Deserialize, Serialize};

/// An aggregate whose commands record two events, and a snapshot of them.
#[derive(Serialize, Deserialize)]
pub struct Tally {
    marks: i64,
}

#[derive(Event)]
pub enum TallyEvent {
    #[event(name = "Marked")]
    Marked,
}

impl Evolve for Tally {
    type Event = TallyEvent;

    fn evolve(self, TallyEvent::Marked: TallyEvent) -> Self {
        Self { marks: self.marks + 1 }
    }
}

impl Aggregate for Tally {
    /// That of the first stream of a run.
    const TYPE: &'static str = "First";

    fn initial(_id: &str) -> Self {
        Self { marks: 0 }
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        Some(Snapshots::version(1).every(2))
    }
}

struct MarkTwice;

impl Decide<MarkTwice> for Tally {
    type Error = Infallible;

    fn decide(&self, _: &MarkTwice) -> Result<Vec<TallyEvent>, Infallible> {
        Ok(vec![TallyEvent::Marked, TallyEvent::Marked])
    }
}

pub fn tally(id: &str) -> AggregateRef<Tally, AsyncEventStore> {
    AsyncEventStore::new().aggregate(id)
}

pub async fn mark_twice<C: AsyncEventConnection>(
    conn: &mut C,
    tally: AggregateRef<Tally, AsyncEventStore>,
) -> Result<(), Error> {
    let done = tally.execute(conn, &MarkTwice).await?;
    assert_eq!(done.state.marks, done.version);
    Ok(())
}
