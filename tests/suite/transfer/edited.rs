//! A file that somebody has edited, with hashes that fit, is refused with the line and the field, before
//! anything is written.

use diesel_event_store::transfer::{ImportError, discard};
use diesel_event_store::{EventStore, ExpectedVersion, Position};
use sha2::{Digest, Sha256};
use test_support::{Result, TestDatabase, count, counted, user};

use super::{empty, exported, fill, imported};
use crate::suite::housekeeping::remove;

tests! {
    events_are_written_as_an_export_writes_them,
    an_event_id_is_there_once,
    lines_of_streams_agree_with_the_events,
    projections_are_within_their_bounds,
    what_every_database_keeps_is_taken,
    nothing_is_there_twice,
}

/// With the hashes of its lines as they are now.
fn rehashed(file: &str) -> String {
    let (mut rest, mut chain, mut text) = (Sha256::new(), Vec::new(), String::new());
    let (mut events, mut last_position) = (0, "0".to_owned());
    let position = |line: &str| -> String {
        let (_, after) = line.split_once("\"global_position\":").expect("it has one");
        after.chars().take_while(char::is_ascii_digit).collect()
    };
    for line in file.lines() {
        let (hashed, _) = line.split_once(",\"check\":\"").unwrap_or((line, ""));
        let line = if line.starts_with("{\"diesel_event_store\"") {
            let (_, id) = line.split_once("\"log_id\":\"").expect("it has an id");
            chain = Sha256::digest(&id[..36]).to_vec();
            line.to_owned()
        } else if line.starts_with("{\"global_position\":") {
            let hash = Sha256::digest(hashed);
            chain = Sha256::new().chain_update(&chain).chain_update(hash).finalize().to_vec();
            (events, last_position) = (events + 1, position(line));
            format!("{hashed},\"check\":\"{}\"}}", &hex(&chain)[..8])
        } else if line.starts_with("{\"end\":") {
            let rest = hex(&rest.clone().finalize());
            let end = format!(
                "\"events\":{events},\"last_position\":{last_position},\"chain\":\"{}\"",
                hex(&chain)
            );
            format!("{{\"end\":{{{end},\"rest\":\"{rest}\"}}}}")
        } else {
            let check = hex(&rest.clone().chain_update(hashed).finalize());
            format!("{hashed},\"check\":\"{}\"}}", &check[..8])
        };
        if !line.starts_with("{\"global_position\":") {
            rest.update(format!("{line}\n"));
        }
        text += &line;
        text.push('\n');
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each edit with the line that is named and what is said of it. Nothing is written, and the log stays open.
fn refused<D: TestDatabase>(file: &str, edits: &[(&str, &str, usize, &str)]) -> Result {
    let (_db, mut conn) = empty::<D>()?;
    assert_eq!(rehashed(file), file, "the hashes are those of an export");
    for (from, to, line, said) in edits {
        let edited = rehashed(&file.replacen(from, to, 1));
        assert_ne!(edited, file, "{from} is there");
        let error = imported(&mut conn, &edited).err().ok_or(format!("{to} was taken"))?;
        assert!(matches!(error, ImportError::File { .. }), "{to}: {error:?}");
        let told = error.to_string();
        assert!(told.starts_with(&format!("line {line}: ")) && told.contains(said), "{to}: {told}");
        assert_eq!(EventStore::new().log_closed(&mut conn)?, None);
        assert_eq!((count(&mut conn, "events")?, count(&mut conn, "projection_checkpoints")?), (0, 0));
    }
    assert_eq!(imported(&mut conn, file)?.skipped(), 0, "as it was, it is taken");
    Ok(())
}

/// One stream of three events, and a checkpoint.
fn alice<D: TestDatabase>() -> Result<String> {
    let (_db, mut conn) = empty::<D>()?;
    let store = EventStore::new();
    store.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(3)?)?;
    store.save_checkpoint(&mut conn, "own", Position::new(3)?)?;
    exported(&mut conn)
}

/// The nth of the texts between these.
fn between<'f>(file: &'f str, begin: &str, end: &str, nth: usize) -> &'f str {
    let after = file.split(begin).nth(nth).expect("it is there");
    after.split(end).next().expect("it ends")
}

fn events_are_written_as_an_export_writes_them<D: TestDatabase>() -> Result {
    let file = alice::<D>()?;
    let id = between(&file, "\"event_id\":\"", "\"", 1);
    let time = between(&file, "\"created_at\":\"", "\"", 1);
    let other = "is not written as an export writes it";
    let named = |field: &str| format!("{field} {other}");
    refused::<D>(
        &file,
        &[
            (id, &id.to_uppercase(), 2, &named("event_id")),
            (time, &time.replace('Z', "+00:00"), 2, &named("created_at")),
            (time, &format!("0{}", &time[1..]), 2, "created_at"),
            ("\"payload\":2", "\"payload\": 2", 3, &named("payload")),
            ("\"payload\":2", "\"payload_text\":\"2\"", 3, &named("payload_text")),
            ("\"aggregate_id\":\"alice\"", "\"aggregate_id\":\"\\u0061lice\"", 2, &named("aggregate_id")),
            (
                "\"event_type\":\"Counted\",\"event_version\":1",
                "\"event_version\":1,\"event_type\":\"Counted\"",
                2,
                &named("event_version"),
            ),
            ("\"format\":1", "\"format\": 1", 1, &named("format")),
        ],
    )
}

/// The database finds this out, and then the import can be discarded.
fn an_event_id_is_there_once<D: TestDatabase>() -> Result {
    let file = alice::<D>()?;
    let [first, third] = [1, 3].map(|nth| between(&file, "\"event_id\":\"", "\"", nth));
    let (_db, mut conn) = empty::<D>()?;
    let error = imported(&mut conn, rehashed(&file.replacen(third, first, 1))).unwrap_err();
    assert_eq!(error.to_string(), format!("line 4: event_id {first} is in an earlier line, too"));
    assert_eq!(count(&mut conn, "events")?, 0);
    discard(&mut conn)?;
    imported(&mut conn, file)?;
    Ok(())
}

fn lines_of_streams_agree_with_the_events<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    let store = EventStore::new();
    for name in ["alice", "bob", "carol", "dave"] {
        store.append(&mut conn, &user(name)?, ExpectedVersion::NoStream, &counted(5)?)?;
    }
    let erased = "aggregate_id = 'alice' AND aggregate_version < 3 OR aggregate_id = 'bob' \
                  OR aggregate_id = 'carol' AND aggregate_version IN (2, 4)";
    remove(&mut conn, erased)?;
    let file = exported(&mut conn)?;
    let [alice, bob, carol] = [
        "\"alice\",\"first_version\":3,\"version\":5",
        "\"bob\",\"version\":5",
        "\"carol\",\"first_version\":1,\"version\":5,\"missing\":[[2,2],[4,4]]",
    ];
    let missing = "missing has versions that are not between two others";
    refused::<D>(
        &file,
        &[
            (alice, "\"alice\",\"version\":5", 5, "version 3 of User/alice does not follow; 1 is missing"),
            (alice, "\"alice\",\"first_version\":4,\"version\":5", 5, "does not follow; 4 is missing"),
            (
                alice,
                "\"alice\",\"first_version\":3,\"version\":9",
                2,
                "version is 9, and User/alice ends in this file with 5",
            ),
            (alice, "\"alice\",\"first_version\":0,\"version\":5", 2, "first_version is 0"),
            (alice, "\"alice\",\"first_version\":3,\"version\":2", 2, "version is 2"),
            (alice, &format!("{alice},\"archived_version\":3"), 2, "archived_version is 3"),
            (bob, "\"bob\",\"first_version\":4,\"version\":5", 3, "User/bob has no events in this file"),
            (bob, &format!("\"bob\",\"version\":{}", i64::MAX), 3, "version is 9223372036854775807"),
            (bob, &format!("{bob},\"missing\":[[2,2]]"), 3, missing),
            ("\"bob\"", "\"dave\"", 4, "a stream does not belong here"),
            (
                carol,
                &carol.replace(",[4,4]", ""),
                10,
                "version 5 of User/carol does not follow; 4 is missing",
            ),
            (carol, &carol.replace("[4,4]", "[3,4]"), 4, missing),
            (carol, &carol.replace("[4,4]", "[4,5]"), 4, missing),
            (carol, &carol.replace("[2,2],[4,4]", "[4,4],[2,2]"), 4, missing),
        ],
    )?;
    let dave = r#"{"stream":{"aggregate_type":"User","aggregate_id":"dave","version":5},"check":"0"}"#;
    let begins = "{\"global_position\":";
    let said = "first_version is not given, and User/dave has events";
    refused::<D>(&file, &[(begins, &format!("{dave}\n{begins}"), 5, said)])
}

fn projections_are_within_their_bounds<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    fill(&mut conn)?;
    let file = exported(&mut conn)?;
    let line = |begin: &str| file.lines().position(|line| line.starts_with(begin)).map_or(0, |at| at + 1);
    let (projection, parked, key) = (line("{\"projection\""), line("{\"parked\""), line("{\"key\""));
    let whole =
        "\"name\":\"fails on the third\",\"version\":2,\"partition\":0,\"partitions\":1,\"position\":";
    let other = |from: &str, to: &str| whole.replace(from, to);
    let far = format!("{whole}9223372036854775807,\"before\":");
    refused::<D>(
        &file,
        &[
            (whole, &other("fails on the third", ""), projection, "projection is empty"),
            (whole, &other("\"version\":2", "\"version\":-1"), projection, "version is -1"),
            (
                whole,
                &other("\"partition\":0", "\"partition\":7"),
                projection,
                "partition is 7; it must be from 0 to 0",
            ),
            (whole, &other("\"partitions\":1", "\"partitions\":0"), projection, "partitions is 0"),
            (whole, &other("\"partition\":0", "\"partition\": 0"), projection, "partition is not written as"),
            (whole, &far, projection, "unknown field `before`"),
            (
                "\"projection\":\"fails on the third\"",
                "\"projection\":\"else\"",
                parked,
                "else version 2 is not in the file",
            ),
            ("\"reason\":\"failed\"", "\"reason\":\"bored\"", parked, "reason is \"bored\""),
            ("\"error\":\"", "\"error\":\"\\u0000", parked, "error is too long or has a NUL"),
            ("\"events\":3,", "\"events\":0,", key, "events is 0"),
        ],
    )?;
    let file = alice::<D>()?;
    let far = "position is 9223372036854775807; it must be from 0 to 281474976710655";
    refused::<D>(
        &file,
        &[
            ("\"position\":3", "\"position\":9223372036854775807", 5, far),
            ("\"end\":3", "\"end\":9223372036854775807", 1, "end is 9223372036854775807"),
        ],
    )
}

/// A checkpoint beyond the end of the log, from a backup for instance: the log goes on above it.
fn what_every_database_keeps_is_taken<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (alice::<D>()?, empty::<D>()?);
    imported(&mut conn, rehashed(&file.replacen("\"position\":3", "\"position\":1000000", 1)))?;
    let store = EventStore::new();
    store.append(&mut conn, &user("alice")?, ExpectedVersion::Exact(3), &counted(1)?)?;
    assert_eq!(store.last_position(&mut conn)?.get(), 1_000_001);
    Ok(())
}

fn nothing_is_there_twice<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    fill(&mut conn)?;
    let (file, mut twice) = (exported(&mut conn)?, Vec::new());
    for (kind, what) in [
        ("{\"projection\"", "a projection does not belong here"),
        ("{\"parked\"", "a parked event does not belong here"),
        ("{\"key\"", "an idempotency key does not belong here"),
    ] {
        let at = file.lines().position(|line| line.starts_with(kind)).ok_or("it is there")?;
        let line = file.lines().nth(at).ok_or("it is there")?.to_owned() + "\n";
        twice.push((line.clone(), line.repeat(2), at + 2, what));
    }
    let twice: Vec<_> = twice.iter().map(|(line, both, at, what)| (&**line, &**both, *at, *what)).collect();
    refused::<D>(&file, &twice)
}
