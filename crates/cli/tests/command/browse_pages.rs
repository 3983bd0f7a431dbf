//! What the pages of `browse` show.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use diesel::SqliteConnection;
use diesel_event_store::chrono::{DateTime, Utc};
use diesel_event_store::projection::{HandlerError, OnFailure, Projection};
use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, NewEvent, Position, RecordedEvent, StreamId,
};
use test_support::TestDatabase;
use test_support::sqlite_file::SqliteFile;

use super::browser::{Browse, header, text};
use super::shop::{append, shop, url};

const STORE: EventStore = EventStore::new();

/// In lists within lists, as deep as they may be.
fn nested(items: usize) -> String {
    format!("{}0{}{}", "[".repeat(120), ",0".repeat(items), "]".repeat(120))
}

/// An order, its confirmation, and what the confirmation has caused: on streams with names of any kind.
fn append_a_family<C: EventConnection + ?Sized>(conn: &mut C) {
    let of = |event: NewEvent| event.correlation_id("cart #7/é");
    let placed = of(NewEvent::from_json("CartPlaced", r#"{"total":1.50,"lines":["tea"]}"#).unwrap());
    let confirmed = NewEvent::from_json("CartConfirmed", r#"{"total":2,"lines":["tea","<b>"]}"#).unwrap();
    let confirmed = of(confirmed).causation_id(placed.id()).metadata(&"by hand").unwrap();
    let mailed = of(NewEvent::new("CartMailed", &()).unwrap()).causation_id(confirmed.id());
    let cart = StreamId::new("Cart/Web", "#1 & ?").unwrap();
    STORE.append(conn, &cart, ExpectedVersion::Any, &[placed, confirmed]).unwrap();
    STORE.append(conn, &StreamId::new("Mail", "m").unwrap(), ExpectedVersion::Any, &[mailed]).unwrap();
}

/// Where a text of the page stands.
fn at(page: &str, text: &str) -> usize {
    page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"))
}

#[track_caller]
fn assert_has(page: &str, texts: &[&str]) {
    for text in texts {
        at(page, text);
    }
}

/// The first address within the page that begins so.
fn link(page: &str, beginning: &str) -> String {
    let begun = &page[at(page, &format!("href=\"{beginning}")) + 6..];
    begun[..begun.find('"').unwrap()].replace("&#38;", "&").replace("&amp;", "&")
}

/// On a database of its own.
pub fn every_page_is_shown<D: TestDatabase>()
where
    D::Conn: EventConnection,
{
    let db = D::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append_a_family(&mut conn);
    let browse = Browse::of(&db.url());
    let log = browse.page("/");
    assert!(at(&log, "CartMailed") < at(&log, "CartConfirmed"), "the newest is first");

    let stream = browse.page(&link(&log, "/stream?type=Cart"));
    assert_has(&stream, &["Cart/Web/#", "What changed: 2", "<dt>lines › [1]</dt>", "<dt>total</dt>"]);
    assert_has(&stream, &["<del>1.50</del>", "<ins>2</ins>", "&#60;b&#62;"]);
    let confirmed = browse.page(&link(&stream, "/event/"));
    assert_has(&confirmed, &["<h1>CartConfirmed</h1>", "Its cause", "Its effects", "CartMailed", "by hand"]);
    let trace = browse.page(&link(&confirmed, "/trace?"));
    let levels =
        ["level-1 lane-0", "CartPlaced", "level-2 lane-0", "CartConfirmed", "level-3 lane-1", "CartMailed"];
    assert!(levels.map(|text| at(&trace, text)).is_sorted(), "{trace}");
    assert_has(&browse.page("/streams?type=Mail&prefix=m"), &["Mail/m"]);
    assert_has(&browse.page("/projections"), &["There are no projections"]);
    assert_has(&browse.page("/health"), &["<dt>Can be read to</dt><dd>3</dd>", "open"]);
    a_new_event_is_told(&browse, || append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]));
}

/// The log, when it has three events.
fn a_new_event_is_told(browse: &Browse, append: impl FnOnce()) {
    let end = link(&browse.page("/").replace("data-live", "href"), "/live?");
    let mut lines = BufReader::new(browse.get(&end).into_body().into_reader()).lines();
    append();
    assert_eq!(lines.next().unwrap().unwrap(), "event: news");
    assert_eq!(lines.next().unwrap().unwrap(), "data: 2");
}

#[test]
fn every_page_of_sqlite_is_shown() {
    every_page_is_shown::<test_support::Sqlite>();
}

#[test]
fn the_log_is_narrowed_and_goes_on() {
    let shop = shop();
    for _ in 0..2 {
        append(&mut shop.connect(), "o-3", &["OrderPlaced"; 50]);
    }
    let browse = Browse::of(&url(&shop));
    let events = |path: &str| browse.page(path).matches("class=\"type\"").count();
    assert_eq!([events("/"), events("/?before=4"), events("/?before=1")], [50, 3, 0]);
    let second = link(&browse.page("/"), "/?before=");
    assert_eq!(second, "/?before=54&types=&correlation=");
    assert_eq!(events("/?types=OrderPaid"), 1);
    assert_eq!(events("/?types=OrderPaid,+OrderLost&correlation=o-1"), 1);
    assert_eq!(events("/?correlation=o-1&types="), 2);
    assert_eq!(events("/?correlation=o-1&types=OrderLost"), 0);
    assert_has(&browse.page("/?types=OrderLost"), &["There are no events that fit."]);
}

#[test]
fn the_log_is_opened_about_a_time() {
    let file = SqliteFile::migrated();
    let stream = StreamId::new("Day", 1).unwrap();
    for day in 1..=20 {
        let time: DateTime<Utc> = format!("2026-03-{day:02}T12:00:00Z").parse().unwrap();
        let event = NewEvent::new(format!("Day{day}"), &()).unwrap().created_at(time);
        STORE.append(&mut file.connect(), &stream, ExpectedVersion::Any, &[event]).unwrap();
    }
    let browse = Browse::of(&url(&file));
    let newest = |time: &str| link(&browse.page(&format!("/?about={time}")), "/event/");
    let of = |position: i64| {
        let slice =
            STORE.read_backward(&mut file.connect(), Position::new(position + 1).unwrap(), 1).unwrap();
        format!("/event/{}", slice.events()[0].id())
    };
    assert_eq!(newest("2026-03-07T12:30"), of(7));
    assert_eq!(newest("2026-03-07T11:59:59"), of(6));
    assert_eq!(newest("2027-01-01T00:00"), of(20));
    assert_has(&browse.page("/?about=2026-01-01T00:00"), &["There are no events"]);
    assert_eq!(browse.get("/?about=yesterday").status(), 400);
}

#[test]
fn a_long_stream_goes_on() {
    let file = SqliteFile::migrated();
    append(&mut file.connect(), "o-1", &["OrderPlaced"; 70]);
    let browse = Browse::of(&url(&file));
    let first = browse.page("/stream?type=Order&id=o-1");
    assert_eq!(first.matches("<pre>").count(), 50);
    assert_eq!(first.matches("The payload is the same as before.").count(), 50);
    let second = browse.page(&link(&first, "/stream?type=Order&#38;id=o-1&amp;before=21"));
    assert_eq!(second.matches("<pre>").count(), 20);
    assert!(second.contains("version 20<") && !second.contains("rel=\"next\""), "{second}");
}

/// A stream of the same name in each tenant, and two more.
fn append_settings<C: EventConnection + ?Sized>(conn: &mut C, tenants: usize) {
    let mut append = |stream: StreamId| {
        let event = NewEvent::new("SettingsChanged", &()).unwrap();
        STORE.append(conn, &stream, ExpectedVersion::NoStream, &[event]).unwrap();
    };
    for number in 1..=tenants {
        append(StreamId::new("Settings", "main").unwrap().in_tenant(format!("t/{number:02}")).unwrap());
    }
    append(StreamId::new("Account", "main").unwrap().in_tenant("t/30").unwrap());
    append(StreamId::new("Settings", "main").unwrap());
}

/// How many streams each page has, from the first to the last. A slow machine may need more pages.
fn pages_of_streams(browse: &Browse, path: &str) -> Vec<usize> {
    let (mut path, mut pages) = (path.to_owned(), Vec::new());
    loop {
        let page = browse.page(&path);
        pages.push(page.matches("class=\"stream\"").count());
        if !page.contains("rel=\"next\"") {
            return pages;
        }
        path = link(&page, "/streams?type=");
    }
}

/// On a database of its own.
pub fn streams_of_many_tenants_go_on<D: TestDatabase>()
where
    D::Conn: EventConnection,
{
    let db = D::migrated().unwrap();
    append_settings(&mut db.connect().unwrap(), 60);
    let browse = Browse::of(&db.url());
    for (path, expected) in [
        ("/streams", 62),
        ("/streams?type=Settings&prefix=main", 61),
        ("/streams?type=Settings&prefix=main&tenant=t%2F60", 1),
        ("/streams?tenant=t%2F30&prefix=m", 2),
        ("/streams?type=Account", 1),
        ("/streams?type=Settings&prefix=n", 0),
        ("/streams?after_tenant=t%2F59&after_type=Settings&after_id=lain", 2),
        ("/streams?tenant=t%2F30&after_tenant=t%2F40&after_type=A", 0),
    ] {
        let pages = pages_of_streams(&browse, path);
        assert_eq!(pages.iter().sum::<usize>(), expected, "{path}: {pages:?}");
        assert!(pages.iter().all(|&rows| rows <= 50) && pages.len() > expected / 50, "{path}: {pages:?}");
    }
    let last = browse.page("/streams?after_tenant=t%2F59&after_type=Settings&after_id=main");
    assert_has(
        &last,
        &["tenant=t%2F60\">Settings/main</a>", "href=\"/streams?type=&#38;prefix=&#38;tenant=\">First<"],
    );
}

#[test]
fn streams_of_many_tenants_in_sqlite_go_on() {
    streams_of_many_tenants_go_on::<test_support::Sqlite>();
}

#[test]
fn projections_and_what_is_wrong_with_them_are_shown() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let page = browse.page("/projections");
    assert_has(&page, &["mails version 1", "1 parked", "the mail server is away", "0 behind"]);
    let parked = browse.page(&link(&page, "/event/"));
    assert_has(&parked, &["<h1>OrderPaid</h1>", "1e400"]);
    let health = browse.page("/health");
    assert_has(
        &health,
        &["mails version 1 has parked 1 event", "diesel-event-store projections parked mails"],
    );
}

#[test]
fn the_first_parked_events_are_listed_and_all_are_counted() {
    let file = SqliteFile::migrated();
    let conn = &mut file.connect();
    append(conn, "o-1", &["OrderPlaced"; 1_030]);
    let fails = |_: &mut SqliteConnection, _: &RecordedEvent| Err(HandlerError::failed("it is away"));
    Projection::new("mails", 1, fails)
        .retries(0, Duration::ZERO)
        .on_failure(OnFailure::Park)
        .catch_up(conn)
        .unwrap();
    let page = Browse::of(&url(&file)).page("/projections");
    assert_eq!(page.matches("href=\"/event/").count(), 20);
    assert_has(&page, &["<summary>1,030 parked</summary>", "These are the first 20."]);
    assert!(at(&page, "position 1<") < at(&page, "position 20<") && !page.contains("position 21<"), "{page}");
}

#[test]
fn effects_that_are_left_out_are_told() {
    let file = SqliteFile::migrated();
    let of = |event_type: &'static str| NewEvent::new(event_type, &()).unwrap().correlation_id("all");
    let cause = of("Ordered");
    let cause_id = cause.id();
    let page = format!("/event/{cause_id}");
    let effects =
        |number| -> Vec<NewEvent> { (0..number).map(|_| of("Effect").causation_id(cause_id)).collect() };
    let append = |events: &[NewEvent]| {
        let stream = StreamId::new("Order", "o-1").unwrap();
        STORE.append(&mut file.connect(), &stream, ExpectedVersion::Any, events).unwrap();
    };
    let browse = Browse::of(&url(&file));
    append(&[cause]);
    append(&effects(50));
    assert!(!browse.page(&page).contains("All events of the correlation"));
    append(&effects(1));
    let cut = browse.page(&page);
    assert_has(
        &cut,
        &["These are the first 50 of 51 that were found.", "href=\"/?correlation=all\">All events"],
    );

    let first_effect = link(&cut[at(&cut, "Its effects")..], "/event/");
    assert!(!browse.page(&first_effect).contains("Its effects"));
    append(&effects(1_000));
    let told = "Only the next 1,000 events of its correlation have been looked at.";
    assert_has(&browse.page(&first_effect), &["Its effects", told]);
}

#[test]
fn a_payload_of_any_size_is_shown_as_far_as_a_browser_can_and_is_a_file() {
    let file = SqliteFile::migrated();
    let payload = nested(3 << 20);
    let event = NewEvent::from_json("Happened", payload.clone()).unwrap();
    let path = format!("/event/{}", event.id());
    let stream = StreamId::new("Big", "b-1").unwrap();
    STORE.append(&mut file.connect(), &stream, ExpectedVersion::Any, &[event]).unwrap();
    let browse = Browse::of(&url(&file));
    for page in [browse.page(&path), browse.page("/stream?type=Big&id=b-1")] {
        assert!(page.len() < 300_000, "{}", page.len());
        assert_has(&page, &["[\n  [\n    [", "This is its beginning."]);
    }
    let mut saved = browse.get(&link(&browse.page(&path), "/event/"));
    let name = format!("attachment; filename=\"{}.json\"", &path[7..]);
    assert_eq!(header(&saved, "content-disposition"), name);
    assert!(text(&mut saved) == payload, "the file is what was recorded");
}

#[test]
fn what_changed_has_an_end() {
    let file = SqliteFile::migrated();
    let stream = StreamId::new("Big", "b-1").unwrap();
    let event = |payload: String| NewEvent::from_json("Happened", payload).unwrap();
    let events = [event("[]".into()), event(nested(1_000)), event(format!("\"{}\"", "x".repeat(1 << 20)))];
    STORE.append(&mut file.connect(), &stream, ExpectedVersion::Any, &events).unwrap();
    let page = Browse::of(&url(&file)).page("/stream?type=Big&id=b-1");
    assert!(page.len() < 500_000, "{}", page.len());
    assert_has(&page, &["What changed: 1,002", "These are the first 200."]);
}

#[test]
fn a_stream_whose_events_were_archived_says_so() {
    let file = SqliteFile::migrated();
    append(&mut file.connect(), "o-1", &["OrderPlaced", "OrderPaid"]);
    append(&mut file.connect(), "o-2", &["OrderPlaced"]);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("old.jsonl");
    super::run::answer(&url(&file), &["archive", "--before", "3", to.to_str().unwrap(), "--yes"]);
    let browse = Browse::of(&url(&file));
    let mut gone = browse.get("/stream?type=Order&id=o-1");
    assert_eq!(gone.status(), 404);
    assert_has(&text(&mut gone), &["the events of Order/o-1 up to version 2 were archived or erased"]);
    append(&mut file.connect(), "o-1", &["OrderSent"]);
    assert_has(&browse.page("/stream?type=Order&id=o-1"), &["The stream begins with version 3."]);
}

#[test]
fn what_is_not_there_or_cannot_be_is_told() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let long = "x".repeat(300);
    for (path, status, told) in [
        ("/nothing", 404, "there is no such page"),
        ("/event/00000000-0000-0000-0000-000000000000", 404, "there is no event with the id"),
        ("/event/7", 400, "7: "),
        ("/event/7/payload", 400, "7: "),
        ("/event/00000000-0000-0000-0000-000000000000/payload", 404, "there is no event with the id"),
        ("/stream?type=Order&id=o-9", 404, "Order/o-9 has no events"),
        ("/stream?type=&id=o-9", 400, "aggregate_type is empty"),
        ("/trace?correlation=nobody", 404, "no event has the correlation id nobody"),
        (&format!("/trace?correlation={long}"), 400, "correlation_id"),
        ("/?before=-1", 400, "position is -1"),
        ("/?before=abc", 400, "before: invalid"),
        ("/?types=%FF", 400, "the address is no UTF-8"),
        ("/event/%FF", 400, "Invalid UTF-8"),
        ("/stream?type=Order", 400, "missing field `id`"),
        ("/stream?type=Order&id=o-1&before=abc", 400, "before: invalid"),
        ("/stream?type=Order&id=o-1&before=-1", 404, "Order/o-1 has no events below version -1"),
        ("/streams?type=a&type=b", 400, "duplicate field `type`"),
        ("/live", 400, "missing field `after`"),
    ] {
        let mut response = browse.get(path);
        let page = text(&mut response);
        assert!(response.status() == status && page.contains(told), "{path}: {} {page}", response.status());
        assert_has(&page, &["<h1>It cannot be shown</h1>", "To the log"]);
    }
}

#[test]
fn a_database_without_tables_says_what_to_do() {
    let file = SqliteFile::absent();
    drop(file.connect());
    let browse = Browse::of(&url(&file));
    assert_has(&browse.page("/health"), &["tables are missing", "diesel-event-store migrate"]);
    let mut log = browse.get("/");
    assert_eq!(log.status(), 500);
    assert_has(&text(&mut log), &["tables are missing"]);
    diesel_event_store::run_pending_migrations(&mut file.connect()).unwrap();
    assert_has(&browse.page("/"), &["There are no events."]);
}

#[test]
fn a_database_that_cannot_be_opened_is_told_at_once() {
    let (code, said) = super::run::failure("absent.db", &["browse"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no file absent.db"), "{said}");
}
