//! The whole log, forward and backward, filtered, and how far it was scanned.

use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, LogQuery, LogSlice, NewEvent, Position, ReadError,
    RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase, counted, user};

tests! {
    forward_begins_after_a_position,
    backward_begins_before_a_position,
    the_short_ways_read_the_same,
    a_page_ends_at_its_limit_and_the_next_goes_on_there,
    a_page_backward_goes_on_before_what_was_scanned,
    a_filter_by_aggregate_types,
    a_filter_by_event_types,
    a_filter_by_correlation_id,
    filters_are_combined_with_and,
    a_filter_takes_any_number_of_any_names,
    a_filtered_page_is_cut_short_at_its_last_match,
    a_page_that_is_just_full_may_not_be_the_end,
    a_reader_whose_filter_finds_nothing_moves_on,
    a_reader_at_the_end_stays_where_it_is,
    an_empty_log_is_at_its_end,
    the_last_position_is_that_of_the_newest_event,
    a_slice_gives_its_events_in_every_usual_way,
    a_slice_holds_no_more_bytes_than_were_asked_for,
    a_slice_has_an_event_however_large_it_is,
    what_is_cut_by_its_bytes_backward_goes_on_as_well,
    an_iterator_reads_the_same_in_pages_of_any_size,
    an_iterator_reads_the_same_in_pages_of_any_bytes,
    an_iterator_sees_what_is_appended_meanwhile,
    an_iterator_ends_after_an_error,
}

/// Aggregate type, event type and correlation id of each event of the log that most tests read.
const LOG: [(&str, &str, Option<&str>); 8] = [
    ("User", "Created", Some("request-1")),
    ("Order", "Placed", Some("request-1")),
    ("User", "Renamed", None),
    ("Order", "Paid", Some("request-2")),
    ("User", "Created", Some("request-2")),
    ("user", "created", Some("Request-1")),
    ("Invoice", "Created", Some("request-1")),
    ("Order", "Placed", None),
];

struct Log<D: TestDatabase> {
    db: D,
    conn: D::Conn,
    positions: Vec<Position>,
}

impl<D: TestDatabase> Log<D> {
    fn new() -> Result<Self> {
        let db = D::migrated()?;
        let mut conn = db.connect()?;
        let mut positions = Vec::new();
        for (aggregate_type, event_type, correlation_id) in LOG {
            let stream = StreamId::new(aggregate_type, "7")?;
            let mut event = NewEvent::new(event_type, &())?;
            if let Some(id) = correlation_id {
                event = event.correlation_id(id);
            }
            let appended = EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[event])?;
            positions.push(appended.last_position());
        }
        Ok(Self { db, conn, positions })
    }

    /// Position of the nth event, counted from 1; before all of them for 0.
    fn position(&self, nth: usize) -> Position {
        nth.checked_sub(1).map_or(Position::START, |index| self.positions[index])
    }

    fn nth(&self, position: Position) -> usize {
        1 + self.positions.iter().position(|&known| known == position).expect("a position of the log")
    }

    /// Which events are read, counted from 1.
    fn read(&mut self, query: &LogQuery, limit: usize) -> Result<(Vec<usize>, LogSlice), ReadError> {
        let slice = EventStore::new().read_log(&mut self.conn, query, limit)?;
        Ok((slice.events().iter().map(|event| self.nth(event.position())).collect(), slice))
    }

    fn matches(&mut self, query: &LogQuery) -> Result<Vec<usize>, ReadError> {
        let (found, slice) = self.read(query, 100)?;
        assert!(slice.is_end());
        Ok(found)
    }
}

fn forward() -> LogQuery {
    LogQuery::after(Position::START)
}

fn backward() -> LogQuery {
    LogQuery::before(Position::END)
}

fn forward_begins_after_a_position<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    for after in 0..=LOG.len() {
        let query = LogQuery::after(log.position(after));
        assert_eq!(log.matches(&query)?, Vec::from_iter(after + 1..=LOG.len()));
    }
    Ok(())
}

fn backward_begins_before_a_position<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    assert_eq!(log.matches(&backward())?, [8, 7, 6, 5, 4, 3, 2, 1]);
    for before in 1..=LOG.len() {
        let query = LogQuery::before(log.position(before));
        assert_eq!(log.matches(&query)?, Vec::from_iter((1..before).rev()));
    }
    assert!(log.matches(&LogQuery::before(Position::START))?.is_empty());
    Ok(())
}

fn the_short_ways_read_the_same<D: TestDatabase>() -> Result {
    let Log { db: _db, mut conn, positions } = Log::<D>::new()?;
    let store = EventStore::new();
    let position = positions[3];
    assert_eq!(
        store.read_forward(&mut conn, position, 3)?,
        store.read_log(&mut conn, &LogQuery::after(position), 3)?
    );
    assert_eq!(
        store.read_backward(&mut conn, position, 2)?,
        store.read_log(&mut conn, &LogQuery::before(position), 2)?
    );
    assert_eq!(store.read_forward(&mut conn, position, 3)?.len(), 3);
    assert_eq!(store.read_backward(&mut conn, position, 2)?.len(), 2);
    Ok(())
}

fn a_page_ends_at_its_limit_and_the_next_goes_on_there<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let (first, slice) = log.read(&forward(), 3)?;
    assert_eq!(first, [1, 2, 3]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(3), false));

    let (second, slice) = log.read(&LogQuery::after(slice.scanned_to()), 3)?;
    assert_eq!(second, [4, 5, 6]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(6), false));

    let (third, slice) = log.read(&LogQuery::after(slice.scanned_to()), 3)?;
    assert_eq!(third, [7, 8]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(8), true));

    let (fourth, slice) = log.read(&LogQuery::after(slice.scanned_to()), 3)?;
    assert!(fourth.is_empty());
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(8), true));
    Ok(())
}

fn a_page_backward_goes_on_before_what_was_scanned<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let (first, slice) = log.read(&backward(), 5)?;
    assert_eq!(first, [8, 7, 6, 5, 4]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(4), false));

    let (second, slice) = log.read(&LogQuery::before(slice.scanned_to()), 5)?;
    assert_eq!(second, [3, 2, 1]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (Position::START, true));
    Ok(())
}

fn a_filter_by_aggregate_types<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    assert_eq!(log.matches(&forward().aggregate_types(["User"]))?, [1, 3, 5]);
    assert_eq!(log.matches(&forward().aggregate_types(["User", "Invoice"]))?, [1, 3, 5, 7]);
    assert_eq!(log.matches(&forward().aggregate_types(["User", "User"]))?, [1, 3, 5]);
    assert_eq!(log.matches(&backward().aggregate_types(["Order", "Nothing"]))?, [8, 4, 2]);
    assert_eq!(log.matches(&LogQuery::after(log.position(3)).aggregate_types(["User"]))?, [5]);
    Ok(())
}

fn a_filter_by_event_types<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    assert_eq!(log.matches(&forward().event_types(["Created"]))?, [1, 5, 7]);
    assert_eq!(log.matches(&forward().event_types(["Placed", "Paid"]))?, [2, 4, 8]);
    assert_eq!(log.matches(&LogQuery::before(log.position(8)).event_types(["Placed"]))?, [2]);
    Ok(())
}

fn a_filter_by_correlation_id<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    assert_eq!(log.matches(&forward().correlation_id("request-1"))?, [1, 2, 7]);
    assert_eq!(log.matches(&backward().correlation_id("request-2"))?, [5, 4]);
    assert!(log.matches(&forward().correlation_id("request-3"))?.is_empty());
    Ok(())
}

fn filters_are_combined_with_and<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let users_created = forward().aggregate_types(["User"]).event_types(["Created"]);
    assert_eq!(log.matches(&users_created)?, [1, 5]);
    assert_eq!(log.matches(&users_created.correlation_id("request-2"))?, [5]);
    let created = forward().event_types(["Created", "Placed"]).correlation_id("request-1");
    assert_eq!(log.matches(&created)?, [1, 2, 7]);
    assert!(log.matches(&forward().aggregate_types(["Order"]).event_types(["Created"]))?.is_empty());
    Ok(())
}

fn a_filter_takes_any_number_of_any_names<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let awkward =
        ["it's", "\"quoted\"", "back\\slash", "a,b", "100%", "_", "😀", "[\"User\"]", "{}", "?", "$1"];
    for name in awkward {
        let stream = StreamId::new(name, "7")?;
        let event = [NewEvent::new(name, &())?.correlation_id(name)];
        let appended = EventStore::new().append(&mut log.conn, &stream, ExpectedVersion::Any, &event)?;
        log.positions.push(appended.last_position());
    }
    for (index, name) in awkward.into_iter().enumerate() {
        let nth = LOG.len() + 1 + index;
        assert_eq!(log.matches(&forward().aggregate_types([name]))?, [nth], "{name}");
        assert_eq!(log.matches(&forward().event_types([name]))?, [nth], "{name}");
        assert_eq!(log.matches(&forward().correlation_id(name))?, [nth], "{name}");
    }
    let many = (0..1000).map(|number| format!("Type{number}")).chain(["Renamed".to_owned()]);
    assert_eq!(log.matches(&forward().event_types(many))?, [3]);
    Ok(())
}

fn a_filtered_page_is_cut_short_at_its_last_match<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let (found, slice) = log.read(&forward().aggregate_types(["User"]), 2)?;
    assert_eq!(found, [1, 3]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(3), false));

    let query = LogQuery::after(slice.scanned_to()).aggregate_types(["User"]);
    let (found, slice) = log.read(&query, 2)?;
    assert_eq!(found, [5]);
    assert_eq!((slice.scanned_to(), slice.is_end()), (log.position(8), true));
    Ok(())
}

/// The last match fills the page, but events that do not match follow: the next page is empty and comes to
/// the end.
fn a_page_that_is_just_full_may_not_be_the_end<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let (found, slice) = log.read(&forward().aggregate_types(["User"]), 3)?;
    assert_eq!((found, slice.scanned_to(), slice.is_end()), (vec![1, 3, 5], log.position(5), false));

    let query = LogQuery::after(slice.scanned_to()).aggregate_types(["User"]);
    let (found, slice) = log.read(&query, 3)?;
    assert_eq!((found, slice.scanned_to(), slice.is_end()), (vec![], log.position(8), true));
    Ok(())
}

fn a_reader_whose_filter_finds_nothing_moves_on<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let store = EventStore::new();
    let mut scanned_to = Position::START;
    for _ in 0..3 {
        let query = LogQuery::after(scanned_to).event_types(["Never"]);
        let slice = store.read_log(&mut log.conn, &query, 2)?;
        assert!(slice.is_empty() && slice.is_end());
        assert!(slice.scanned_to() > scanned_to);
        assert_eq!(slice.scanned_to(), store.last_position(&mut log.conn)?);
        scanned_to = slice.scanned_to();
        store.append(&mut log.db.connect()?, &user("alice")?, ExpectedVersion::Any, &counted(5)?)?;
    }
    let stream = user("bob")?;
    store.append(&mut log.conn, &stream, ExpectedVersion::Any, &[NewEvent::new("Never", &())?])?;
    let query = LogQuery::after(scanned_to).event_types(["Never"]);
    assert_eq!(store.read_log(&mut log.conn, &query, 2)?.len(), 1);
    Ok(())
}

fn a_reader_at_the_end_stays_where_it_is<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let far = Position::new(log.position(8).get() + 1000)?;
    for position in [log.position(8), far, Position::END] {
        let (found, slice) = log.read(&LogQuery::after(position), 10)?;
        assert!(found.is_empty());
        assert_eq!((slice.scanned_to(), slice.is_end()), (position, true));
    }
    Ok(())
}

fn an_empty_log_is_at_its_end<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    assert_eq!(store.last_position(&mut conn)?, Position::START);
    for query in [forward(), backward(), forward().event_types(["Created"])] {
        let slice = store.read_log(&mut conn, &query, 10)?;
        assert!(slice.is_empty() && slice.is_end());
        assert_eq!((slice.len(), slice.scanned_to()), (0, Position::START));
        assert!(store.iter_log(&mut conn, query).next().is_none());
    }
    Ok(())
}

fn the_last_position_is_that_of_the_newest_event<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let store = EventStore::new();
    assert_eq!(store.last_position(&mut log.conn)?, log.position(8));
    let newest = store.read_backward(&mut log.conn, Position::END, 1)?;
    assert_eq!(newest.events()[0].position(), log.position(8));
    Ok(())
}

fn a_slice_gives_its_events_in_every_usual_way<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let slice = EventStore::new().read_forward(&mut log.conn, Position::START, 3)?;
    assert_eq!((slice.len(), slice.is_empty()), (3, false));
    assert!((&slice).into_iter().eq(slice.events()));
    assert!(slice.clone().into_iter().eq(slice.into_events()));
    Ok(())
}

/// Events whose payloads have so many bytes each.
fn sized<D: TestDatabase>(sizes: &[usize]) -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let events: std::result::Result<Vec<_>, _> = sizes
        .iter()
        .map(|&size| NewEvent::from_json("Scanned", format!("\"{}\"", "x".repeat(size - 2))))
        .collect();
    EventStore::new().append(&mut conn, &user("alice")?, ExpectedVersion::Any, &events?)?;
    Ok((db, conn))
}

/// How many events each slice has, until the end.
fn slices<C: EventConnection>(conn: &mut C, mut query: LogQuery, backward: bool) -> Result<Vec<usize>> {
    let max_bytes = 1_000;
    let mut lengths = Vec::new();
    loop {
        query = query.max_bytes(max_bytes);
        let slice = EventStore::new().read_log(conn, &query, 100)?;
        lengths.push(slice.len());
        if slice.is_end() {
            return Ok(lengths);
        }
        let to = slice.scanned_to();
        query = if backward { LogQuery::before(to) } else { LogQuery::after(to) };
    }
}

fn a_slice_holds_no_more_bytes_than_were_asked_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sized::<D>(&[400, 400, 400, 999, 2, 10, 10])?;
    assert_eq!(slices(&mut conn, LogQuery::after(Position::START), false)?, [3, 2, 2]);
    Ok(())
}

fn a_slice_has_an_event_however_large_it_is<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sized::<D>(&[5_000, 5_000, 10])?;
    assert_eq!(slices(&mut conn, LogQuery::after(Position::START), false)?, [1, 1, 1]);
    Ok(())
}

fn what_is_cut_by_its_bytes_backward_goes_on_as_well<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sized::<D>(&[10, 5_000, 400, 600])?;
    assert_eq!(slices(&mut conn, LogQuery::before(Position::END), true)?, [2, 1, 1]);
    Ok(())
}

fn an_iterator_reads_the_same_in_pages_of_any_bytes<D: TestDatabase>() -> Result {
    let sizes: Vec<usize> = (0..300).map(|n| if n % 100 == 7 { 9_000 } else { 2 + n }).collect();
    let (_db, mut conn) = sized::<D>(&sizes)?;
    for max_bytes in [1, 100, 10_000, 1_000_000] {
        let query = LogQuery::after(Position::START).max_bytes(max_bytes);
        let read: std::result::Result<Vec<_>, _> = EventStore::new()
            .iter_log(&mut conn, query)
            .map(|event| event.map(|e| e.payload_json().len()))
            .collect();
        assert_eq!(read?, sizes, "{max_bytes}");
    }
    Ok(())
}

fn an_iterator_reads_the_same_in_pages_of_any_size<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let (middle, store) = (log.position(4), EventStore::new());
    for begin in [forward(), backward(), LogQuery::after(middle), LogQuery::before(middle)] {
        for query in [
            begin.clone(),
            begin.clone().aggregate_types(["User"]),
            begin.clone().event_types(["Created", "Placed"]),
            begin.clone().correlation_id("request-1"),
            begin.event_types(["Never"]),
        ] {
            let whole = store.read_log(&mut log.conn, &query, 100)?.into_events();
            for page_size in 1..=9 {
                let pages = iterate(&mut log.conn, &query, page_size)?;
                assert_eq!(pages, whole, "{query:?} in pages of {page_size}");
            }
        }
    }
    Ok(())
}

/// No more than a hundred, lest an iterator that does not move on runs for ever.
fn iterate(
    conn: &mut impl EventConnection,
    query: &LogQuery,
    page_size: usize,
) -> Result<Vec<RecordedEvent>, ReadError> {
    EventStore::new().iter_log(conn, query.clone()).page_size(page_size).take(100).collect()
}

fn an_iterator_sees_what_is_appended_meanwhile<D: TestDatabase>() -> Result {
    let Log { db, mut conn, positions } = Log::<D>::new()?;
    let store = EventStore::new();
    let mut iter = store.iter_log(&mut conn, forward()).page_size(3);
    let first = iter.next().expect("eight events")?;
    let appended = store.append(&mut db.connect()?, &user("alice")?, ExpectedVersion::Any, &counted(2)?)?;
    let rest = iter.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(first.position(), positions[0]);
    assert_eq!(rest.len(), 7 + 2);
    assert!(rest.ends_with(appended.events()));
    Ok(())
}

fn an_iterator_ends_after_an_error<D: TestDatabase>() -> Result {
    let mut log = Log::<D>::new()?;
    let mut iter = EventStore::new().iter_log(&mut log.conn, forward()).page_size(0);
    assert!(matches!(iter.next(), Some(Err(ReadError::Invalid(invalid))) if invalid.field() == "limit"));
    assert!(iter.next().is_none());
    Ok(())
}
