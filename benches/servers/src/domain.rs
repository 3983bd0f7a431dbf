//! What aggregates and idempotency keys cost, compared with the same by hand. Decoding events is measured
//! without a server, by the bench `domain` of the library.

use bench_support::events::{append_one, append_with_key};
use bench_support::order::Order;
use bench_support::workload::{RandomStreams, aggregate_id};

use crate::questions::EVENTS_EACH;
use crate::report::Report;
use crate::side::Side;
use crate::transfer::Server;

pub fn compare<S: Server>(report: &Report) {
    let streams = report.size(2_000, 20);
    Pair::<S>::filled(streams, EVENTS_EACH).compare(
        report,
        "a command on an aggregate of 10 events, alone",
        [("execute", Order::<0>::execute), ("read and append", Order::<0>::by_hand)],
    );
    Pair::<S>::filled(streams, EVENTS_EACH).compare(
        report,
        "an append of 1 event with an idempotency key",
        [("with a key", append_with_key), ("without", append_one)],
    );
    Pair::<S>::filled(streams, EVENTS_EACH).compare(
        report,
        "a command on an aggregate of 10 events",
        [("snapshots every 100 events", Order::<100>::execute), ("none", Order::<0>::execute)],
    );
    Pair::<S>::filled(streams, EVENTS_EACH).compare_on_new(
        report,
        "the first 100 commands on an aggregate",
        [("snapshots every 100 events", Order::<100>::execute_100), ("none", Order::<0>::execute_100)],
    );
    let with_and_without = Pair::<S>::filled(streams, 19);
    with_and_without.append_to_each([Order::<20>::execute, Order::<0>::execute]);
    with_and_without.compare(
        report,
        "loading an aggregate of 20 events",
        [("from a snapshot", Order::<20>::load), ("from the events", Order::<0>::load)],
    );
}

/// Two databases with the same streams, one for each side.
struct Pair<S> {
    databases: [S; 2],
    streams: usize,
}

/// What is done with one stream.
type Work<S, R> = fn(&mut <S as Server>::Conn, &str) -> R;

impl<S: Server> Pair<S> {
    fn filled(streams: usize, events_each: usize) -> Self {
        Self { databases: [(); 2].map(|()| S::filled(streams, events_each)), streams }
    }

    /// The last event, with which a snapshot may be kept.
    fn append_to_each(&self, append: [Work<S, u64>; 2]) {
        for (database, append) in self.databases.iter().zip(append) {
            let mut conn = database.conn();
            for stream in 0..self.streams {
                append(&mut conn, &aggregate_id(stream));
            }
        }
    }

    /// On random streams, the same ones in the same order on both sides.
    fn compare<R: 'static>(&self, report: &Report, name: &str, sides: [(&'static str, Work<S, R>); 2]) {
        report.times(name, 50, self.sides(sides, || RandomStreams::among(self.streams)), &[(0, 1)]);
    }

    /// On streams that begin with it.
    fn compare_on_new<R: 'static>(
        &self,
        report: &Report,
        name: &str,
        sides: [(&'static str, Work<S, R>); 2],
    ) {
        report.times(name, 1, self.sides(sides, RandomStreams::new_ones), &[(0, 1)]);
    }

    fn sides<R: 'static>(
        &self,
        sides: [(&'static str, Work<S, R>); 2],
        streams: impl Fn() -> RandomStreams,
    ) -> Vec<Side<'_>> {
        let sides = self.databases.iter().zip(sides).map(|(database, (name, work))| {
            let (mut conn, streams) = (database.conn(), streams());
            Side::new(name, move || work(&mut conn, &streams.next_id()))
        });
        sides.collect()
    }
}
