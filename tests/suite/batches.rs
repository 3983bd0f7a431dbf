//! Several streams are appended to, all or none, and guarded streams stay where they were.

use std::fmt::Debug;

use diesel_event_store::ExpectedVersion::{Any, Exact, NoStream, StreamExists};
use diesel_event_store::{
    AppendBatch, AppendError, BatchAppended, Error, EventConnection, EventStore, InvalidInput, NewEvent,
    Position, Problem, StreamId, write_transaction,
};
use test_support::{
    Result, TestDatabase, app_rows, at_once, count, counted, create_app_rows, insert_app_row, user, versions,
};

tests! {
    every_stream_moves_and_the_log_has_the_order_of_the_batch,
    streams_of_different_tenants_are_in_one_batch,
    nothing_is_there_if_one_stream_is_elsewhere,
    an_id_that_is_recorded_is_counted_through_the_batch,
    a_guarded_stream_that_has_moved_refuses_the_batch,
    a_guard_leaves_its_stream_as_it_was,
    a_transaction_goes_on_after_a_batch_was_refused,
    a_batch_is_rolled_back_with_its_transaction,
    what_is_no_batch_is_refused,
    batches_in_opposite_orders_all_get_through,
    batches_in_opposite_orders_all_get_through_inside_transactions,
    of_two_that_guard_each_others_stream_one_wins,
    what_was_guarded_holds_in_the_order_of_the_log,
}

const STORE: EventStore = EventStore::new();
const ROUNDS: usize = 10;

fn two() -> Result<[StreamId; 2], InvalidInput> {
    Ok([user("alice")?, user("bob")?])
}

/// Both users have one event.
fn with_two_users<D: TestDatabase>() -> Result<(D, D::Conn, [StreamId; 2])> {
    let db = D::migrated()?;
    let (mut conn, two) = (db.connect()?, two()?);
    for user in &two {
        STORE.append(&mut conn, user, NoStream, &counted(1)?)?;
    }
    Ok((db, conn, two))
}

fn rows(conn: &mut impl EventConnection) -> Result<(i64, i64)> {
    Ok((count(conn, "events")?, count(conn, "aggregate_heads")?))
}

/// Nothing of it is there.
fn refusal(conn: &mut impl EventConnection, batch: &AppendBatch) -> Result<AppendError> {
    let before = rows(conn)?;
    let refused = STORE.append_batch(conn, batch).err().ok_or("the batch was not refused")?;
    assert_eq!(rows(conn)?, before, "{refused}");
    Ok(refused)
}

fn every_stream_moves_and_the_log_has_the_order_of_the_batch<D: TestDatabase>() -> Result {
    let (db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let carol = user("carol")?;
    let batch = AppendBatch::new()
        .append(&carol, NoStream, counted(2)?)
        .append(&bob, Exact(1), counted(10)?)
        .append(&alice, Any, counted(1)?);
    let done: BatchAppended = STORE.append_batch(&mut conn, &batch)?;
    let moved: Vec<_> = done.streams().iter().map(|of| (of.previous_version(), of.version())).collect();
    assert_eq!(moved, [(0, 2), (1, 11), (1, 2)]);

    let mut other = db.connect()?;
    let log = STORE.read_forward(&mut other, Position::START, 100)?.into_events();
    let appended: Vec<_> = done.streams().iter().flat_map(|of| of.events().to_vec()).collect();
    assert_eq!(log[2..], appended);
    assert_eq!(done.last_position(), log[14].position());
    assert_eq!(STORE.version(&mut other, &bob)?, 11);
    assert_eq!(versions(&STORE.read_stream(&mut other, &carol, ..)?), [1, 2]);
    STORE.append(&mut other, &alice, Exact(2), &counted(1)?)?;
    Ok(())
}

fn streams_of_different_tenants_are_in_one_batch<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, _]) = with_two_users::<D>()?;
    let of_acme = alice.clone().in_tenant("acme")?;
    let batch =
        AppendBatch::new().append(&of_acme, NoStream, counted(2)?).append(&alice, Exact(1), counted(1)?);
    STORE.append_batch(&mut conn, &batch)?;
    assert_eq!((STORE.version(&mut conn, &alice)?, STORE.version(&mut conn, &of_acme)?), (2, 2));
    Ok(())
}

fn nothing_is_there_if_one_stream_is_elsewhere<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let carol = user("carol")?;
    for (stream, expected, actual) in
        [(&alice, Exact(2), 1), (&bob, NoStream, 1), (&carol, StreamExists, 0), (&carol, Exact(1), 0)]
    {
        let batch = AppendBatch::new()
            .append(&user("aaron")?, NoStream, counted(1)?)
            .append(stream, expected, counted(1)?)
            .append(&user("zoe")?, Any, counted(1)?);
        let refused = refusal(&mut conn, &batch)?;
        let conflict = refused.conflict().ok_or_else(|| format!("{refused}"))?;
        assert_eq!((&conflict.stream, conflict.expected, conflict.actual), (stream, expected, actual));
    }
    Ok(())
}

fn an_id_that_is_recorded_is_counted_through_the_batch<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let recorded = STORE.read_stream(&mut conn, &alice, ..)?.into_events().remove(0);
    let again = NewEvent::new("Counted", &1)?.with_id(recorded.id());
    for expected in [Any, Exact(1), Exact(7)] {
        let batch = AppendBatch::new().append(&user("carol")?, NoStream, counted(2)?).append(
            &bob,
            expected,
            [NewEvent::new("Good", &())?, again.clone()],
        );
        match refusal(&mut conn, &batch)? {
            AppendError::DuplicateEventId { event_id, event_index, recorded: Some(duplicate), .. } => {
                assert_eq!((event_id, event_index), (recorded.id(), 3));
                assert_eq!((duplicate.event(), duplicate.is_same_event()), (&recorded, false));
            }
            other => panic!("{other:?}"),
        }
    }
    let twice = AppendBatch::new().append(&alice, Any, [again.clone()]).append(&bob, Any, [again]);
    let refused = refusal(&mut conn, &twice)?;
    assert!(
        matches!(refused, AppendError::DuplicateEventId { event_index: 1, recorded: None, .. }),
        "{refused}"
    );
    Ok(())
}

fn a_guarded_stream_that_has_moved_refuses_the_batch<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let nobody = user("nobody")?;
    for (guarded, expected, actual) in
        [(&alice, NoStream, 1), (&alice, Exact(2), 1), (&nobody, StreamExists, 0), (&nobody, Exact(1), 0)]
    {
        let batch = AppendBatch::new().append(&bob, Exact(1), counted(1)?).guard(guarded, expected);
        let refused = refusal(&mut conn, &batch)?;
        let conflict = refused.conflict().ok_or_else(|| format!("{refused}"))?;
        assert_eq!((&conflict.stream, conflict.expected, conflict.actual), (guarded, expected, actual));
    }
    Ok(())
}

fn a_guard_leaves_its_stream_as_it_was<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let nobody = user("nobody")?;
    let batch = |version| -> Result<_> {
        Ok(AppendBatch::new()
            .append(&bob, Exact(version), counted(1)?)
            .guard(&alice, Exact(1))
            .guard(&user("a")?, NoStream)
            .guard(&nobody, Exact(0)))
    };
    STORE.append_batch(&mut conn, &batch(1)?)?;
    STORE.append_batch(&mut conn, &batch(2)?)?;
    assert_eq!(rows(&mut conn)?, (4, 2));
    assert_eq!((STORE.version(&mut conn, &alice)?, STORE.version(&mut conn, &nobody)?), (1, 0));
    assert_eq!(STORE.append(&mut conn, &nobody, NoStream, &counted(1)?)?.version(), 1);
    Ok(())
}

fn a_transaction_goes_on_after_a_batch_was_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    create_app_rows(&mut conn)?;
    write_transaction(&mut conn, |conn| -> Result {
        insert_app_row(conn, "before")?;
        let good = || AppendBatch::new().append(&bob, Any, counted(1).unwrap_or_default());
        refusal(conn, &good().append(&alice, NoStream, counted(1)?))?;
        refusal(conn, &good().guard(&alice, NoStream))?;
        let id = STORE.read_stream(conn, &alice, ..)?.events()[0].id();
        refusal(conn, &good().append(&user("carol")?, NoStream, [NewEvent::new("Again", &())?.with_id(id)]))?;
        insert_app_row(conn, "after")?;
        STORE.append_batch(conn, &good().append(&alice, Exact(1), counted(1)?))?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["after", "before"]);
    assert_eq!(rows(&mut conn)?, (4, 2));
    Ok(())
}

fn a_batch_is_rolled_back_with_its_transaction<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let outcome = write_transaction(&mut conn, |conn| -> Result<(), Error> {
        let batch = AppendBatch::new().append(&alice, Exact(1), counted(1)?).append(&bob, Any, counted(1)?);
        STORE.append_batch(conn, &batch.guard(&user("nobody")?, NoStream))?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(outcome.is_err());
    assert_eq!(rows(&mut conn)?, (2, 2));
    Ok(())
}

fn what_is_no_batch_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn, [alice, bob]) = with_two_users::<D>()?;
    let batch = || AppendBatch::new().append(&alice, Any, counted(1).unwrap_or_default());
    let cases = [
        (AppendBatch::new(), "streams is empty"),
        (AppendBatch::new().guard(&alice, Exact(1)), "streams is empty"),
        (batch().append(&bob, Any, []), "events is empty"),
        (batch().append(&alice, Any, counted(1)?), "streams has \"User/alice\" twice"),
        (batch().guard(&bob, Exact(1)).guard(&bob, Exact(1)), "guards has \"User/bob\" twice"),
        (batch().guard(&alice, Exact(1)), "guard names User/alice, which the batch appends to"),
        (batch().guard(&bob, Any), "guard expects any version of User/bob"),
        (batch().guard(&bob, Exact(-1)), "expected version is -1"),
        (batch().append(&bob, Exact(-1), counted(1)?), "expected version is -1"),
        (batch().append(&bob, Any, [NewEvent::new("", &())?]), "event 1 of the batch: event_type is empty"),
    ];
    for (batch, message) in cases {
        match refusal(&mut conn, &batch)? {
            AppendError::Invalid(invalid) => {
                assert!(invalid.to_string().starts_with(message), "{invalid}");
                assert!(!matches!(invalid.problem(), Problem::NotJson { .. }));
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn connections<D: TestDatabase>(db: &D, number: usize) -> Result<Vec<D::Conn>> {
    (0..number).map(|_| db.connect()).collect()
}

/// For half of the writers the other way round. Each event is told apart by its writer and round.
fn crossing(writer: usize, round: usize) -> Result<AppendBatch> {
    let mut streams = ["a", "b", "c"].map(String::from);
    if writer % 2 == 1 {
        streams.reverse();
    }
    streams.iter().try_fold(AppendBatch::new(), |batch, name| {
        Ok(batch.append(&user(name)?, Any, [NewEvent::new("Crossed", &(writer, round))?]))
    })
}

fn assert_all_are_there<E: Debug>(conn: &mut impl EventConnection, outcomes: Vec<Result<(), E>>) -> Result {
    let batches = i64::try_from(outcomes.len() * ROUNDS)?;
    outcomes.into_iter().collect::<Result<Vec<()>, E>>().map_err(|error| format!("{error:?}"))?;
    for name in ["a", "b", "c"] {
        let stream = STORE.read_stream(conn, &user(name)?, ..)?;
        assert_eq!(versions(&stream), Vec::from_iter(1..=batches));
    }
    assert_eq!(rows(conn)?, (3 * batches, 3));
    Ok(())
}

fn batches_in_opposite_orders_all_get_through<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, 6)?;
    let outcomes = at_once(&mut conns, |writer, conn| -> Result {
        for round in 0..ROUNDS {
            STORE.append_batch(conn, &crossing(writer, round)?)?;
        }
        Ok(())
    });
    assert_all_are_there(&mut conns[0], outcomes)
}

fn batches_in_opposite_orders_all_get_through_inside_transactions<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, 6)?;
    create_app_rows(&mut conns[0])?;
    let outcomes = at_once(&mut conns, |writer, conn| -> Result {
        for round in 0..ROUNDS {
            write_transaction(conn, |conn| -> Result {
                insert_app_row(conn, "one")?;
                STORE.append_batch(conn, &crossing(writer, round)?)?;
                Ok(())
            })?;
        }
        Ok(())
    });
    assert_eq!(app_rows(&mut conns[0])?.len(), 6 * ROUNDS);
    assert_all_are_there(&mut conns[0], outcomes)
}

/// None of the streams is there, so there is no row that could be locked.
fn of_two_that_guard_each_others_stream_one_wins<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, 2)?;
    for round in 0..3 * ROUNDS {
        let streams = [user(&format!("{round} one"))?, user(&format!("{round} two"))?];
        let outcomes = at_once(&mut conns, |writer, conn| -> Result<bool> {
            let batch = AppendBatch::new()
                .append(&streams[writer], NoStream, counted(1)?)
                .guard(&streams[1 - writer], NoStream);
            match STORE.append_batch(conn, &batch) {
                Ok(_) => Ok(true),
                Err(AppendError::Conflict(conflict)) => {
                    assert_eq!((conflict.stream, conflict.actual), (streams[1 - writer].clone(), 1));
                    Ok(false)
                }
                Err(other) => Err(other.into()),
            }
        });
        let won = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
        assert_ne!(won[0], won[1], "round {round}");
    }
    assert_eq!(rows(&mut conns[0])?, (30, 30));
    Ok(())
}

/// An event says at which version the other stream was guarded: so many of its events are below it in the
/// log.
fn what_was_guarded_holds_in_the_order_of_the_log<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conns, two) = (connections(&db, 6)?, two()?);
    let outcomes = at_once(&mut conns, |writer, conn| -> Result {
        let (written, guarded) = (&two[writer % 2], &two[1 - writer % 2]);
        let mut done = 0;
        while done < ROUNDS {
            let version = STORE.version(conn, guarded)?;
            let append = |conn: &mut D::Conn| -> Result<bool, Error> {
                let batch = AppendBatch::new()
                    .append(written, Any, [NewEvent::new("Guarding", &version)?])
                    .guard(guarded, Exact(version));
                match STORE.append_batch(conn, &batch) {
                    Ok(_) => Ok(true),
                    Err(AppendError::Conflict(_)) => Ok(false),
                    Err(other) => Err(other.into()),
                }
            };
            let is_done = if done % 2 == 0 { append(conn)? } else { STORE.transaction(conn, append)? };
            done += usize::from(is_done);
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result<Vec<()>>>()?;
    let log = STORE.read_forward(&mut conns[0], Position::START, 1000)?.into_events();
    assert_eq!(log.len(), 6 * ROUNDS);
    for event in &log {
        let (guarded, below) = (event.payload::<i64>()?, event.position());
        let others = log.iter().filter(|other| other.stream() != event.stream() && other.position() < below);
        assert_eq!(i64::try_from(others.count())?, guarded, "{event:?}");
    }
    Ok(())
}
