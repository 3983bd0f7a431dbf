//! The events of one aggregate.

use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, ReadError, StreamId, StreamQuery, StreamSlice,
};
use test_support::{Result, TestDatabase, counted, execute, user, versions};

use super::housekeeping::remove;

tests! {
    a_range_of_versions_is_read,
    versions_that_are_not_there_are_no_error,
    an_aggregate_without_events_is_an_empty_stream,
    backward_is_newest_first,
    a_limit_counts_from_where_the_reading_begins,
    a_limit_backward_gives_the_newest_of_the_range,
    the_version_of_a_slice_is_what_an_append_should_expect,
    a_slice_gives_its_events_in_every_usual_way,
    an_iterator_reads_the_same_in_pages_of_any_size,
    an_iterator_reads_a_stream_longer_than_its_pages,
    an_iterator_sees_what_is_appended_meanwhile,
    an_iterator_goes_on_after_events_that_were_erased,
    an_iterator_ends_after_an_error,
    an_iterator_ends_at_the_highest_version,
}

/// A database where alice has the versions 1 to 5, between events of others.
fn five_events<D: TestDatabase>() -> Result<(D, D::Conn, StreamId)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    for _ in 0..5 {
        store.append(&mut conn, &user("alice2")?, ExpectedVersion::Any, &counted(2)?)?;
        store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(1)?)?;
        store.append(&mut conn, &StreamId::new("Use", "ralice")?, ExpectedVersion::Any, &counted(1)?)?;
    }
    Ok((db, conn, alice))
}

fn read(
    conn: &mut impl EventConnection,
    stream: &StreamId,
    query: impl Into<StreamQuery>,
) -> Result<(Vec<i64>, i64), ReadError> {
    let slice: StreamSlice = EventStore::new().read_stream(conn, stream, query)?;
    assert!(slice.events().iter().all(|event| event.stream() == stream));
    Ok((versions(&slice), slice.version()))
}

fn a_range_of_versions_is_read<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let conn = &mut conn;
    assert_eq!(read(conn, &alice, ..)?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, 0..)?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, 1..)?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, 4..)?, (vec![4, 5], 5));
    assert_eq!(read(conn, &alice, 5..)?, (vec![5], 5));
    assert_eq!(read(conn, &alice, ..3)?, (vec![1, 2], 2));
    assert_eq!(read(conn, &alice, ..=3)?, (vec![1, 2, 3], 3));
    assert_eq!(read(conn, &alice, ..=i64::MAX)?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, 2..4)?, (vec![2, 3], 3));
    assert_eq!(read(conn, &alice, 2..=4)?, (vec![2, 3, 4], 4));
    assert_eq!(read(conn, &alice, 2..=2)?, (vec![2], 2));
    Ok(())
}

fn versions_that_are_not_there_are_no_error<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let conn = &mut conn;
    assert_eq!(read(conn, &alice, 4..=9)?, (vec![4, 5], 5));
    assert_eq!(read(conn, &alice, 0..=0)?, (vec![], 0));
    assert_eq!(read(conn, &alice, ..=0)?, (vec![], 0));
    assert_eq!(read(conn, &alice, StreamQuery::from(..).limit(usize::MAX))?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, 7..=9)?, (vec![], 5));
    assert_eq!(read(conn, &alice, i64::MAX..)?, (vec![], 5));
    Ok(())
}

fn an_aggregate_without_events_is_an_empty_stream<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = five_events::<D>()?;
    let nobody = user("nobody")?;
    let stream = EventStore::new().read_stream(&mut conn, &nobody, ..)?;
    assert!(stream.is_empty());
    assert_eq!((stream.len(), stream.version()), (0, 0));
    let queries: [StreamQuery; 5] = [
        (3..).into(),
        (..=9).into(),
        StreamQuery::from(..).backward(),
        StreamQuery::from(..).limit(2),
        StreamQuery::from(..).backward().limit(2),
    ];
    for query in queries {
        assert_eq!(read(&mut conn, &nobody, query)?, (vec![], 0));
    }
    Ok(())
}

fn backward_is_newest_first<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let conn = &mut conn;
    assert_eq!(read(conn, &alice, StreamQuery::from(..).backward())?, (vec![5, 4, 3, 2, 1], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(2..=4).backward())?, (vec![4, 3, 2], 4));
    assert_eq!(read(conn, &alice, StreamQuery::from(4..=9).backward())?, (vec![5, 4], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(6..).backward())?, (vec![], 5));
    Ok(())
}

fn a_limit_counts_from_where_the_reading_begins<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let conn = &mut conn;
    assert_eq!(read(conn, &alice, StreamQuery::from(..).limit(1))?, (vec![1], 1));
    assert_eq!(read(conn, &alice, StreamQuery::from(..).limit(2))?, (vec![1, 2], 2));
    assert_eq!(read(conn, &alice, StreamQuery::from(0..).limit(2))?, (vec![1, 2], 2));
    assert_eq!(read(conn, &alice, StreamQuery::from(3..).limit(2))?, (vec![3, 4], 4));
    assert_eq!(read(conn, &alice, StreamQuery::from(3..=3).limit(2))?, (vec![3], 3));
    assert_eq!(read(conn, &alice, StreamQuery::from(..).limit(5))?, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(4..).limit(9))?, (vec![4, 5], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(2..).limit(i64::MAX as usize))?, (vec![2, 3, 4, 5], 5));
    Ok(())
}

fn a_limit_backward_gives_the_newest_of_the_range<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let conn = &mut conn;
    assert_eq!(read(conn, &alice, StreamQuery::from(..).backward().limit(1))?, (vec![5], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(..).backward().limit(2))?, (vec![5, 4], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(..=3).backward().limit(2))?, (vec![3, 2], 3));
    assert_eq!(read(conn, &alice, StreamQuery::from(4..=9).backward().limit(9))?, (vec![5, 4], 5));
    assert_eq!(read(conn, &alice, StreamQuery::from(7..=9).backward().limit(2))?, (vec![], 5));
    assert_eq!(
        read(conn, &alice, StreamQuery::from(..).backward().limit(i64::MAX as usize))?,
        (vec![5, 4, 3, 2, 1], 5)
    );
    Ok(())
}

/// With nothing after a snapshot, the append expects the snapshot's version.
fn the_version_of_a_slice_is_what_an_append_should_expect<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let store = EventStore::new();
    for snapshot in [0, 3, 5] {
        let stream = store.read_stream(&mut conn, &alice, snapshot + 1..)?;
        assert_eq!(stream.version(), 5);
    }
    let stream = store.read_stream(&mut conn, &alice, 6..)?;
    let expected = ExpectedVersion::Exact(stream.version());
    assert_eq!(store.append(&mut conn, &alice, expected, &counted(1)?)?.version(), 6);

    // What has been read only in part is known only in part.
    let part = store.read_stream(&mut conn, &alice, ..=4)?;
    let expected = ExpectedVersion::Exact(part.version());
    let refused = store.append(&mut conn, &alice, expected, &counted(1)?).unwrap_err();
    assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(6));
    Ok(())
}

fn a_slice_gives_its_events_in_every_usual_way<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let slice = EventStore::new().read_stream(&mut conn, &alice, 2..)?;
    assert_eq!((slice.len(), slice.is_empty()), (4, false));
    assert_eq!(versions(slice.events()), [2, 3, 4, 5]);
    assert_eq!(versions(&slice), [2, 3, 4, 5]);
    assert_eq!(slice.clone().into_events(), slice.events());
    assert!(slice.clone().into_iter().eq(slice.into_events()));
    Ok(())
}

fn an_iterator_reads_the_same_in_pages_of_any_size<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let store = EventStore::new();
    let queries: [StreamQuery; 6] =
        [(..).into(), (2..).into(), (..=4).into(), (2..=4).into(), (4..=9).into(), (6..).into()];
    for query in queries {
        for limit in [None, Some(1), Some(2), Some(4), Some(5), Some(9)] {
            let query = limit.map_or(query.clone(), |limit| query.clone().limit(limit));
            for query in [query.clone(), query.backward()] {
                let whole = store.read_stream(&mut conn, &alice, query.clone())?.into_events();
                for page_size in 1..=6 {
                    let pages = store.iter_stream(&mut conn, &alice, query.clone()).page_size(page_size);
                    let pages = pages.take(100).collect::<Result<Vec<_>, _>>()?;
                    assert_eq!(pages, whole, "{query:?} in pages of {page_size}");
                }
            }
        }
    }
    Ok(())
}

fn an_iterator_reads_a_stream_longer_than_its_pages<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let appended = store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(1001)?)?;
    let read = store.iter_stream(&mut conn, &alice, ..).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(read, appended.events());
    Ok(())
}

fn an_iterator_sees_what_is_appended_meanwhile<D: TestDatabase>() -> Result {
    let (db, mut conn, alice) = five_events::<D>()?;
    let store = EventStore::new();
    let mut iter = store.iter_stream(&mut conn, &alice, ..).page_size(2);
    let first = iter.next().expect("five events")?;
    store.append(&mut db.connect()?, &alice, ExpectedVersion::Any, &counted(2)?)?;
    let rest = iter.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(first.version(), 1);
    assert_eq!(versions(&rest), [2, 3, 4, 5, 6, 7]);
    Ok(())
}

fn an_iterator_goes_on_after_events_that_were_erased<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    remove(&mut conn, "aggregate_id = 'alice' AND aggregate_version BETWEEN 2 AND 3")?;
    let store = EventStore::new();
    for page_size in 1..=4 {
        for (query, left) in [((..).into(), [1, 4, 5]), (StreamQuery::from(..).backward(), [5, 4, 1])] {
            let pages = store.iter_stream(&mut conn, &alice, query).page_size(page_size);
            assert_eq!(versions(&pages.collect::<Result<Vec<_>, _>>()?), left, "in pages of {page_size}");
        }
    }
    assert_eq!(read(&mut conn, &alice, StreamQuery::from(2..).limit(1))?, (vec![4], 4));
    Ok(())
}

fn an_iterator_ends_after_an_error<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let store = EventStore::new();
    let mut no_page = store.iter_stream(&mut conn, &alice, ..).page_size(0);
    assert!(matches!(no_page.next(), Some(Err(ReadError::Invalid(invalid))) if invalid.field() == "limit"));
    assert!(no_page.next().is_none());
    drop(no_page);
    let mut below_zero = store.iter_stream(&mut conn, &alice, -1..);
    assert!(matches!(below_zero.next(), Some(Err(ReadError::Invalid(_)))));
    assert!(below_zero.next().is_none());
    Ok(())
}

fn an_iterator_ends_at_the_highest_version<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = five_events::<D>()?;
    let store = EventStore::new();
    execute(&mut conn, &format!("UPDATE aggregate_heads SET aggregate_version = {}", i64::MAX - 2))?;
    store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(2)?)?;
    for page_size in 1..=3 {
        let newest = store.iter_stream(&mut conn, &alice, i64::MAX - 1..).page_size(page_size);
        let newest = newest.take(10).collect::<Result<Vec<_>, _>>()?;
        assert_eq!(versions(&newest), [i64::MAX - 1, i64::MAX], "in pages of {page_size}");
    }
    Ok(())
}
