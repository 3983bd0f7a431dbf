//! A file that is not whole is refused, with the line, before anything is written.

use diesel_event_store::transfer::ImportError;
use diesel_event_store::{EventStore, ExpectedVersion};
use test_support::{Result, TestDatabase, count, counted, user};

use super::goes_on::large;
use super::{empty, exported, fill, imported};

tests! {
    a_file_that_was_cut_is_refused_wherever,
    lines_that_were_changed_removed_doubled_or_moved_are_refused,
    other_files_are_refused,
    a_refusal_leaves_the_store_as_it_was,
    a_wrong_line_far_down_is_named,
    each_line_that_was_edited_is_named,
    what_is_written_otherwise_is_refused,
}

fn file<D: TestDatabase>() -> Result<String> {
    let (_db, mut conn) = empty::<D>()?;
    fill(&mut conn)?;
    exported(&mut conn)
}

/// Why a file is refused. The store stays empty and open.
fn refusal<D: TestDatabase>(conn: &mut D::Conn, file: &[u8]) -> Result<String> {
    let error = imported(conn, file).err().ok_or("the file was taken")?;
    assert!(matches!(error, ImportError::File { .. }), "{error:?}");
    assert_eq!((count(conn, "events")?, count(conn, "projection_checkpoints")?), (0, 0));
    assert_eq!(EventStore::new().log_closed(conn)?, None);
    Ok(error.to_string())
}

fn a_file_that_was_cut_is_refused_wherever<D: TestDatabase>() -> Result {
    let (text, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    let file = text.as_bytes();
    let ends: Vec<usize> = (1..file.len()).filter(|&at| file[at - 1] == b'\n' || at % 97 == 0).collect();
    for at in ends.into_iter().chain([0, file.len() - 1]) {
        refusal::<D>(&mut conn, &file[..at])?;
    }
    let without_trailer = file[..file.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap_or(0) + 1;
    let lines = file[..without_trailer].iter().filter(|&&byte| byte == b'\n').count();
    let refused = refusal::<D>(&mut conn, &file[..without_trailer])?;
    assert_eq!(refused, format!("line {}: the file ends without its trailer", lines + 1));
    assert_eq!(imported(&mut conn, file)?.events(), 26, "the whole file");
    Ok(())
}

fn lines_that_were_changed_removed_doubled_or_moved_are_refused<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    let lines: Vec<&str> = file.split_inclusive('\n').collect();
    for at in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, if at == 0 { 1 } else { at - 1 });
        for changed in [removed, doubled, swapped] {
            refusal::<D>(&mut conn, changed.concat().as_bytes())?;
        }
        let digit = lines[at].rfind(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let mut edited = file.clone().into_bytes();
        let offset: usize = lines[..at].iter().map(|line| line.len()).sum::<usize>() + digit;
        edited[offset] = if edited[offset] == b'7' { b'8' } else { b'7' };
        refusal::<D>(&mut conn, &edited)?;
    }
    let edited = file.replacen("\"payload\":-0", "\"payload\":-1", 1);
    let refused = refusal::<D>(&mut conn, edited.as_bytes())?;
    assert!(refused.starts_with("line 3: the check does not fit"), "{refused}");
    Ok(())
}

fn other_files_are_refused<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    for (other, said) in [
        ("INSERT INTO events VALUES (1);\n".to_owned(), "line 1: this is not the header of an exported log"),
        (file.replacen("\"format\":1", "\"format\":2", 1), "line 1: the file has format 2"),
        (file.replacen("\"after\":0", "\"after\":5", 1), "line 1: the file begins after position 5"),
        (format!("{file}\n"), "the file goes on behind its trailer"),
    ] {
        let refused = refusal::<D>(&mut conn, other.as_bytes())?;
        assert!(refused.contains(said), "{refused}");
    }
    Ok(())
}

fn a_refusal_leaves_the_store_as_it_was<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    let log_id = EventStore::new().log_id(&mut conn)?;
    refusal::<D>(&mut conn, &file.as_bytes()[..file.len() / 2])?;
    assert_eq!(EventStore::new().log_id(&mut conn)?, log_id);
    EventStore::new().append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(1)?)?;
    Ok(())
}

/// Behind what is read at once.
fn a_wrong_line_far_down_is_named<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (large::<D>()?, empty::<D>()?);
    let mut lines: Vec<Vec<u8>> = file.split_inclusive('\n').map(|line| line.into()).collect();
    for (wrong, said) in [
        (&b"\xff"[..], "invalid utf-8"),
        (b"{\"global_position\":", "the check does not fit"),
        (b"{\"gone\":", "EOF while parsing"),
        (b"{\"key\":{}}", "the check does not fit"),
        (b"{\"end\":", "EOF while parsing"),
    ] {
        let right = std::mem::replace(&mut lines[8_999], [wrong, b"\n"].concat());
        let refused = refusal::<D>(&mut conn, &lines.concat())?;
        assert!(refused.starts_with("line 9000: ") && refused.contains(said), "{refused}");
        lines[8_999] = right;
    }
    lines.swap(8_999, 10_500);
    let refused = refusal::<D>(&mut conn, &lines.concat())?;
    assert!(refused.starts_with("line 9000: the check does not fit"), "{refused}");
    Ok(())
}

/// A digit of its content. What the header says is compared with the next line.
fn each_line_that_was_edited_is_named<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    let mut begin = 0;
    for (at, line) in file.split_inclusive('\n').enumerate() {
        let digit = begin + line.find(|c: char| c.is_ascii_digit()).ok_or("each line has one")?;
        begin += line.len();
        let mut edited = file.clone().into_bytes();
        edited[digit] = if edited[digit] == b'1' { b'2' } else { b'1' };
        let refused = refusal::<D>(&mut conn, &edited)?;
        let named = [at + 1, at + 2].map(|number| refused.starts_with(&format!("line {number}: ")));
        assert!(named[0] || (at == 0 && named[1]), "{at}: {refused}");
    }
    Ok(())
}

/// The same content, and not what an export writes.
fn what_is_written_otherwise_is_refused<D: TestDatabase>() -> Result {
    let (file, (_db, mut conn)) = (file::<D>()?, empty::<D>()?);
    for (written, otherwise) in [
        ("{\"end\":{", "{\"end\": {"),
        ("{\"key\":{", "{\"key\": {"),
        ("{\"projection\":{", "{ \"projection\":{"),
        ("\"payload\":-0,", "\"payload\":-0,\"payload_text\":\"1\","),
    ] {
        let edited = file.replacen(written, otherwise, 1);
        assert_ne!(edited, file);
        refusal::<D>(&mut conn, edited.as_bytes())?;
    }
    Ok(())
}
