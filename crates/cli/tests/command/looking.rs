use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel::sqlite::SqliteConnection;
use diesel_event_store::projection::Projection;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, RecordedEvent, StreamId};
use serde_json::Value;
use test_support::eventually;
use test_support::sqlite_file::SqliteFile;

use super::run::{answer, command, failure, text};
use super::shop::{append, shop, url};

#[test]
fn it_makes_the_tables_where_there_is_no_file() {
    let file = SqliteFile::absent();
    let (code, said) = failure(&url(&file), &["status"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no file") && said.contains("diesel-event-store migrate"), "{said}");
    assert!(!file.path().exists());
    assert!(answer(&url(&file), &["migrate"]).starts_with("applied 0000"));
    assert_eq!(answer(&url(&file), &["migrate"]), "the tables are up to date\n");
    assert_eq!(answer(&url(&file), &["migrate", "--json"]), "{\"applied\":[]}\n");
}

#[test]
fn a_database_without_tables_says_what_to_do() {
    let file = SqliteFile::absent();
    drop(file.connect());
    let (code, said) = failure(&url(&file), &["status"]);
    assert_eq!(code, 1);
    assert!(said.starts_with("error: the event store's tables are missing"), "{said}");
    assert!(said.ends_with("\n  diesel-event-store migrate\n"), "{said}");
}

#[test]
fn what_is_to_be_typed_names_the_database() {
    let file = SqliteFile::absent();
    drop(file.connect());
    let said = |path: &str| text(&command(&["status", "--database-url", path]).output().unwrap().stderr);
    let advice = format!("\n  diesel-event-store --database-url {} migrate\n", url(&file));
    assert!(said(&url(&file)).ends_with(&advice), "{}", said(&url(&file)));
    let advice = "\n  to make one: diesel-event-store migrate --database-url './it'\\''s $HOME.db'\n";
    assert!(said("./it's $HOME.db").ends_with(advice), "{}", said("./it's $HOME.db"));
}

#[test]
fn a_url_of_sqlite_is_read_as_diesel_reads_it() {
    let (shop, folder) = (shop(), tempfile::tempdir().unwrap());
    let path = folder.path().join("my shop.db");
    std::fs::copy(shop.path(), &path).unwrap();
    let url = format!("sqlite://{}", path.display().to_string().replace(' ', "%20"));
    for query in ["", "?mode=ro", "?mode=rw", "?mode=rwc"] {
        assert_eq!(answer(&format!("{url}{query}"), &["log", "--json"]).lines().count(), 3, "{query}");
    }
    let (code, _) = failure(&format!("{url}?mode=ro"), &["freeze", "for a while", "--yes"]);
    assert_eq!(code, 1);
    let other = url.replace("shop.db", "other.db?mode=rwc");
    assert!(failure(&other, &["status"]).1.contains("there is no file"), "to look makes no file");
    assert!(answer(&other, &["migrate"]).starts_with("applied 0000"));
    assert!(folder.path().join("my other.db").exists());
}

#[test]
fn programs_get_all_streams() {
    let shop = SqliteFile::migrated();
    for order in 0..1_200 {
        append(&mut shop.connect(), &format!("o-{order:04}"), &["OrderPlaced"]);
    }
    let streams = |more: &[&str]| answer(&url(&shop), &[&["streams"], more].concat());
    assert_eq!(streams(&[]).lines().count(), 100);
    let all = streams(&["--json"]);
    let ids =
        all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["aggregate_id"].to_string());
    assert!(ids.eq((0..1_200).map(|order| format!("\"o-{order:04}\""))), "{all}");
    assert_eq!(streams(&["Order", "o-11", "--json"]).lines().count(), 100);
    assert_eq!(streams(&["--json", "--limit", "1100"]).lines().count(), 1_100);
}

#[test]
fn the_status_tells_of_the_log_and_of_projections() {
    let shop = shop();
    let status = answer(&url(&shop), &["status"]);
    assert!(
        status.contains("  SQLite 3.") && status.contains(", WAL  log ") && status.contains("  open\n"),
        "{status}"
    );
    assert!(status.contains("to position 3"), "{status}");
    assert!(status.contains("mails v1  3  0 behind  idle  1 parked"), "{status}");
    let json = answer(&url(&shop), &["--json", "status"]);
    assert_eq!(json.lines().count(), 2);
    assert!(json.contains(r#""last_readable":3"#) && json.contains(r#""parked":1"#), "{json}");
}

#[test]
fn a_projection_that_is_behind_has_a_speed_and_an_end() {
    let shop = SqliteFile::migrated();
    append(&mut shop.connect(), "o-1", &vec!["OrderPlaced"; 5_000]);
    let has_been_seen = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let is_enough = Arc::clone(&has_been_seen);
        let slowly = move |_: &mut SqliteConnection, _: &RecordedEvent| {
            if !is_enough.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        };
        let mut conn = shop.connect();
        scope.spawn(move || Projection::new("mails", 1, slowly).batch_size(10).catch_up(&mut conn).unwrap());
        let shown = || {
            let status = answer(&url(&shop), &["status"]);
            Ok(status.contains("/s, ") && status.contains(" left  running ("))
        };
        let told = || {
            let status = answer(&url(&shop), &["status", "--json"]);
            let mails: Value = serde_json::from_str(status.lines().nth(1).unwrap())?;
            Ok(mails["per_second"].is_number() && mails["seconds_left"].is_number())
        };
        let outcome = eventually("a speed is shown", shown).and_then(|()| eventually("it is told", told));
        has_been_seen.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    let status = answer(&url(&shop), &["status"]);
    assert!(status.contains("mails v1  5,000  0 behind  idle"), "{status}");
}

#[test]
fn streams_are_listed_by_type_and_prefix() {
    let shop = shop();
    append(&mut shop.connect(), "p-1", &["OrderPlaced"]);
    assert_eq!(answer(&url(&shop), &["streams"]), "Order  o-1  2\nOrder  o-2  1\nOrder  p-1  1\n");
    assert_eq!(answer(&url(&shop), &["streams", "Order", "o-"]), "Order  o-1  2\nOrder  o-2  1\n");
    assert_eq!(answer(&url(&shop), &["streams", "User"]), "");
    assert_eq!(answer(&url(&shop), &["streams", "--limit", "1"]), "Order  o-1  2\n");
}

#[test]
fn a_stream_and_its_events_are_shown() {
    let shop = shop();
    let stream = answer(&url(&shop), &["stream", "Order", "o-1", "--json"]);
    assert_eq!(stream.lines().count(), 2);
    assert!(stream.contains(r#""payload":{"order":"o-1","total":1e400}"#), "{stream}");
    let id = stream.split(r#""event_id":""#).nth(1).and_then(|rest| rest.get(..36)).unwrap();
    let event = answer(&url(&shop), &["event", id]);
    assert!(event.contains("OrderPlaced version 1") && event.contains("Order/o-1"), "{event}");
    assert_eq!(failure(&url(&shop), &["event", "7"]).0, 2);
    assert_eq!(failure(&url(&shop), &["event", &"0".repeat(32)]).0, 1);
    let (code, said) = failure(&url(&shop), &["stream", "Order", "o-9"]);
    assert_eq!((code, said.as_str()), (1, "error: Order/o-9 has no events\n"));
}

#[test]
fn the_log_is_filtered() {
    let shop = shop();
    let lines = |arguments: &[&str]| answer(&url(&shop), arguments).lines().count();
    assert_eq!(lines(&["log"]), 3);
    assert_eq!(lines(&["log", "--after", "1"]), 2);
    assert_eq!(lines(&["log", "--types", "OrderPaid,OrderLost"]), 1);
    assert_eq!(lines(&["log", "--correlation", "o-1"]), 2);
    assert_eq!(lines(&["log", "--limit", "1"]), 1);
    for wrong in
        [["log", "--after=-1"], ["log", "--types="], ["log", "--correlation="], ["streams", "--limit=-3"]]
    {
        assert_eq!(failure(&url(&shop), &wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn what_has_caused_what_is_a_tree() {
    let shop = shop();
    let (mut conn, store) = (shop.connect(), EventStore::new());
    let placed = store.read_forward(&mut conn, Position::START, 1).unwrap().into_events().remove(0);
    let mail = NewEvent::new("MailSent", &()).unwrap().correlation_id("o-1").causation_id(placed.id());
    let stream = StreamId::new("Mail", "m-1").unwrap();
    store.append(&mut conn, &stream, ExpectedVersion::NoStream, &[mail]).unwrap();

    let tree = answer(&url(&shop), &["trace", "o-1"]);
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[0].starts_with("1  ") && lines[0].contains("OrderPlaced"), "{tree}");
    assert!(lines[1].starts_with("  4  ") && lines[1].contains("MailSent"), "{tree}");
    assert!(lines[2].starts_with("2  ") && lines[2].contains("OrderPaid"), "{tree}");
    assert_eq!(lines.len(), 3);
    assert_eq!(answer(&url(&shop), &["trace", "o-1", "--json"]).lines().count(), 3);
    let (code, said) = failure(&url(&shop), &["trace", "nobody"]);
    assert_eq!((code, said.as_str()), (1, "error: no event has the correlation id nobody\n"));
}

#[test]
fn following_shows_what_comes() {
    let shop = shop();
    let mut follower = command(&["log", "--follow", "--after", "2", "--json"]);
    let mut follower = follower.env("DATABASE_URL", url(&shop)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with(r#"{"global_position":3,"#));
    for position in 4..7 {
        append(&mut shop.connect(), "o-3", &["OrderPlaced"]);
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with(&format!(r#"{{"global_position":{position},"#)), "{line}");
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn errors_are_objects_for_programs() {
    let (code, said) = failure("absent.db", &["--json", "status"]);
    assert_eq!(code, 1);
    assert!(said.starts_with(r#"{"error":{"advice":"#), "{said}");
    assert!(said.contains(r#""code":"no_database","message":"there is no file absent.db""#), "{said}");
    let (code, said) = failure("absent.db", &["--json", "status", "--nonsense"]);
    let expected =
        r#"{"error":{"advice":null,"code":"usage","message":"unexpected argument '--nonsense' found"}}"#;
    assert_eq!((code, said.trim_end()), (2, expected));
    let output = command(&["status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "without a database");
}

/// A program that calls the command can tell one failure from the other.
#[test]
fn errors_have_names_of_their_own() {
    let (empty, shop, damaged) = (SqliteFile::absent(), shop(), SqliteFile::absent());
    drop(empty.connect());
    std::fs::write(damaged.path(), "no database".repeat(100)).unwrap();
    let read_only = format!("file:{}?mode=ro", url(&shop));
    for (url, arguments, code, advice) in [
        (&url(&empty), &["status"][..], "not_migrated", r#""diesel-event-store migrate""#),
        (&url(&damaged), &["log"], "corrupt", "null"),
        (&read_only, &["seal"], "read_only", "null"),
    ] {
        let said = failure(url, &[arguments, &["--json"]].concat()).1;
        let expected = format!(r#"{{"error":{{"advice":{advice},"code":"{code}","#);
        assert!(said.starts_with(&expected), "{said}");
    }
}
