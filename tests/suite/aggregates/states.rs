//! A snapshot has the state as it was folded, and what differs from it is found.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, Event, EventConnection, EventStore, Evolve, SnapshotReport, Snapshots, StreamId,
};
use serde::{Deserialize, Serialize};
use test_support::{Result, TestDatabase, count, execute, for_all};

tests! {
    floating_point_numbers_come_back_as_they_were,
    sets_are_the_same_in_any_order,
    another_order_of_a_list_is_found_beside_a_set,
    another_digit_of_a_wide_number_is_found,
    those_of_an_aggregate_that_has_given_them_up_are_deleted,
}

thread_local! {
    /// What the release of this thread folds.
    static FOLD: Cell<Fold> = const { Cell::new(Fold { has_snapshots: true, in_front: false, more: 0 }) };
}

#[derive(Clone, Copy)]
struct Fold {
    has_snapshots: bool,
    /// Where the list gets longer.
    in_front: bool,
    /// What is added to each sum.
    more: u128,
}

const FIRST: Fold = Fold { has_snapshots: true, in_front: false, more: 0 };

#[derive(Debug, Clone, Event)]
enum GaugeEvent {
    #[event(name = "GaugeRead")]
    Read { value: f64, by: String },
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Gauge {
    sum: f64,
    wide: u128,
    list: Vec<String>,
    set: HashSet<String>,
    sets: Vec<HashSet<String>>,
}

impl Evolve for Gauge {
    type Event = GaugeEvent;

    fn evolve(mut self, GaugeEvent::Read { value, by }: GaugeEvent) -> Self {
        let Fold { in_front, more, .. } = FOLD.get();
        self.list.insert(if in_front { 0 } else { self.list.len() }, by.clone());
        self.set.insert(by);
        self.sets.push(self.set.clone());
        Self { sum: self.sum + value, wide: self.wide + u128::from(u64::MAX) + more, ..self }
    }
}

impl Aggregate for Gauge {
    const TYPE: &'static str = "Gauge";

    fn initial(_id: &str) -> Self {
        Self::default()
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        FOLD.get().has_snapshots.then(|| Snapshots::version(1).every(2))
    }
}

const STORE: EventStore = EventStore::new();

fn read(conn: &mut impl EventConnection, value: f64, by: &str) -> Result {
    let event = GaugeEvent::Read { value, by: by.to_owned() };
    STORE.aggregate::<Gauge>("g").update(conn, |_| Ok::<_, Infallible>(vec![event.clone()]))?;
    Ok(())
}

fn verify(conn: &mut impl EventConnection) -> Result<SnapshotReport> {
    Ok(STORE.verify_snapshots::<Gauge>(conn, 10)?)
}

/// Each snapshot is the beginning of the next.
fn floating_point_numbers_come_back_as_they_were<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for_all(&mut conn, 100, &(-1e9..1e9_f64, -1e-9..1e-9_f64), |conn, (large, small)| {
        FOLD.set(FIRST);
        read(conn, large, "Bo")?;
        read(conn, small, "Bo")?;
        let with_snapshots = STORE.aggregate::<Gauge>("g").load(conn)?;
        assert!(verify(conn)?.is_sound());
        FOLD.set(Fold { has_snapshots: false, ..FIRST });
        assert_eq!(STORE.aggregate::<Gauge>("g").load(conn)?, with_snapshots);
        Ok(())
    })
}

/// A gauge that was read six times, and has a snapshot of it.
fn with_a_snapshot<D: TestDatabase>() -> Result<(D, D::Conn)> {
    FOLD.set(FIRST);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for by in ["Al", "Bo", "Cy", "Di", "Ed", "Flo"] {
        read(&mut conn, 1.0, by)?;
    }
    Ok((db, conn))
}

fn sets_are_the_same_in_any_order<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_a_snapshot::<D>()?;
    let report = verify(&mut conn)?;
    assert_eq!((report.checked(), report.is_sound()), (1, true));
    Ok(())
}

fn another_order_of_a_list_is_found_beside_a_set<D: TestDatabase>() -> Result {
    differs_when_folded_as::<D>(Fold { in_front: true, ..FIRST })
}

fn another_digit_of_a_wide_number_is_found<D: TestDatabase>() -> Result {
    differs_when_folded_as::<D>(Fold { more: 1, ..FIRST })
}

fn differs_when_folded_as<D: TestDatabase>(fold: Fold) -> Result {
    let (_db, mut conn) = with_a_snapshot::<D>()?;
    FOLD.set(fold);
    assert_eq!(verify(&mut conn)?.differing(), [StreamId::new("Gauge", "g")?]);
    Ok(())
}

fn those_of_an_aggregate_that_has_given_them_up_are_deleted<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_a_snapshot::<D>()?;
    execute(&mut conn, &format!("UPDATE snapshots SET snapshot_version = {}", i32::MAX))?;
    FOLD.set(Fold { has_snapshots: false, ..FIRST });
    assert_eq!(STORE.delete_old_snapshots::<Gauge>(&mut conn)?, 1);
    assert_eq!(count(&mut conn, "snapshots")?, 0);
    Ok(())
}
