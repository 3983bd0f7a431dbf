use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use test_support::execute;
use test_support::sqlite_file::SqliteFile;

use super::run::{answer, failure, fed, text};
use super::shop::{append, shop, url};

/// A folder for files, and a way to name them.
fn folder() -> (TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, move |name| path.join(name))
}

#[test]
fn a_log_goes_to_a_file_and_comes_back() {
    let (shop, (_folder, path)) = (shop(), folder());
    for name in ["log.jsonl", "log.jsonl.gz", "log.jsonl.zst"] {
        let (file, new) = (path(name).display().to_string(), SqliteFile::absent());
        let said = answer(&url(&shop), &["export", &file]);
        assert!(said.starts_with("3 events to position 3 in "), "{said}");
        answer(&url(&new), &["migrate"]);
        assert_eq!(answer(&url(&new), &["import", &file]), "3 events imported; to position 3\n");
        assert_eq!(answer(&url(&new), &["log", "--json"]), answer(&url(&shop), &["log", "--json"]));
        assert_eq!(answer(&url(&new), &["export", "-"]), answer(&url(&shop), &["export", "-"]));
        let again = answer(&url(&new), &["import", &file]);
        assert_eq!(again, "0 events imported, 3 there already; to position 3\n");
    }
    assert!(fs::read(path("log.jsonl.gz")).unwrap().starts_with(&[0x1f, 0x8b]));
    assert!(fs::read(path("log.jsonl.zst")).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
}

/// A log with an event of its own, so that all others come to other positions.
#[test]
fn old_and_new_positions_are_written_down() {
    let (shop, (_folder, path), new) = (shop(), folder(), SqliteFile::migrated());
    let (log, own, map) = (path("log.jsonl"), path("own"), path("map").display().to_string());
    answer(&url(&shop), &["export", &log.display().to_string()]);
    fs::write(
        &own,
        r#"{"aggregate_type":"Order","aggregate_id":"own","event_type":"OrderPlaced","payload":1}"#,
    )
    .unwrap();
    answer(&url(&new), &["import", "--new", &own.display().to_string()]);
    let expected = "{\"from\":1,\"to\":2}\n{\"from\":2,\"to\":3}\n{\"from\":3,\"to\":4}\n";
    let arguments = ["import", &log.display().to_string(), "--map", &map];
    for (imported, yes) in [(3, &[][..]), (0, &["--yes"])] {
        let said = answer(&url(&new), &[&arguments, yes].concat());
        assert!(said.starts_with(&format!("{imported} events imported")), "{said}");
        assert_eq!(fs::read_to_string(&map).unwrap(), expected);
    }
    let (code, said) = failure(&url(&new), &arguments);
    assert!(code == 4 && said.contains(&format!("{map} would be replaced")), "{said}");
    let nowhere = path("none/map").display().to_string();
    let (code, said) = failure(&url(&new), &["import", &log.display().to_string(), "--map", &nowhere]);
    assert_eq!(code, 1);
    assert!(said.contains("the positions were not noted: ") && said.contains(&nowhere), "{said}");
}

/// A folder has the name that the file was to have.
#[test]
fn what_comes_to_no_end_leaves_nothing() {
    let (shop, (_folder, path)) = (shop(), folder());
    let (log, taken) = (path("log.jsonl").display().to_string(), path("taken").display().to_string());
    fs::create_dir(&taken).unwrap();
    answer(&url(&shop), &["export", &log]);
    for arguments in [&["export", &*taken][..], &["import", &log, "--map", &taken]] {
        let (code, said) = failure(&url(&shop), arguments);
        assert_eq!(code, 1);
        assert!(said.contains(&taken), "{said}");
    }
    assert_eq!(fs::read_dir(path("")).unwrap().count(), 2, "only these two");
}

/// What an archive holds may be nowhere else.
#[test]
fn only_an_export_of_the_same_log_is_replaced_without_a_question() {
    let (shop, other, (_folder, path)) = (shop(), shop(), folder());
    append(&mut shop.connect(), "o-3", &["OrderPlaced"]);
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        let file = path(name).display().to_string();
        answer(&url(&other), &["export", &file]);
        let of_another_log = fs::read(&file).unwrap();
        let (code, said) = failure(&url(&shop), &["export", &file]);
        assert!(code == 4 && said.contains("an export of another log") && said.contains("--yes"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), of_another_log);
        answer(&url(&shop), &["export", &file, "--yes"]);
        assert_ne!(fs::read(&file).unwrap(), of_another_log);
        answer(&url(&shop), &["export", &file]);
    }
    let archive = path("old.jsonl.zst").display().to_string();
    append(&mut other.connect(), "o-3", &["OrderPlaced"]);
    execute(&mut other.connect(), "DELETE FROM parked_events").unwrap();
    answer(&url(&other), &["archive", "--before", "3", &archive, "--yes"]);
    let (code, said) = failure(&url(&other), &["export", &archive]);
    assert!(code == 4 && said.contains("it is an archive: its events may be nowhere else"), "{said}");
    fs::write(path("notes.txt"), "buy milk").unwrap();
    let (code, said) = failure(&url(&shop), &["export", &path("notes.txt").display().to_string()]);
    assert!(code == 4 && said.contains("it is no export"), "{said}");
    answer(&url(&other), &["import", "--restore", &archive]);
}

#[test]
fn an_export_that_has_more_than_the_log_is_not_replaced_without_a_question() {
    let (shop, (_folder, path)) = (shop(), folder());
    execute(&mut shop.connect(), "DELETE FROM parked_events").unwrap();
    fs::copy(shop.path(), path("backup.db")).unwrap();
    let backup = path("backup.db").display().to_string();
    append(&mut shop.connect(), "o-3", &["OrderPlaced"]);
    for name in ["a.jsonl", "a.jsonl.zst"] {
        let (file, old) =
            (path(name).display().to_string(), path(&format!("old-{name}")).display().to_string());
        answer(&url(&shop), &["export", &file]);
        let whole = fs::read(&file).unwrap();
        let (code, said) = failure(&backup, &["export", &file]);
        assert!(code == 4 && said.contains("it goes up to position 4, and the log only to 3"), "{said}");

        answer(&url(&shop), &["archive", "--before", "3", &old, "--yes"]);
        let (code, said) = failure(&url(&shop), &["export", &file]);
        assert!(code == 4 && said.contains("it has events that the log has no longer"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), whole);
        answer(&url(&shop), &["export", &file, "--yes"]);
        answer(&url(&shop), &["export", &file]);
        answer(&url(&shop), &["import", "--restore", &old]);
    }
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link() {
    let (shop, (_folder, path)) = (shop(), folder());
    let (file, link) = (path("log.jsonl"), path("latest").display().to_string());
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    answer(&url(&shop), &["export", &link, "--yes"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), answer(&url(&shop), &["export", "-"]));
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_never_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let (shop, (_folder, path)) = (shop(), folder());
    let (log, pipe) = (path("log.jsonl").display().to_string(), path("pipe"));
    let name = pipe.display().to_string();
    answer(&url(&shop), &["export", &log]);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for arguments in [
        &["export", &*name, "--yes"][..],
        &["archive", "--before", "3", &name, "--yes"],
        &["import", &log, "--map", &name, "--yes"],
    ] {
        let (code, said) = failure(&url(&shop), arguments);
        assert!(code == 1 && said.contains("it is no regular file"), "{said}");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }
}

#[test]
fn a_pipe_is_imported() {
    let (shop, (_folder, path), new) = (shop(), folder(), SqliteFile::migrated());
    fs::write(path("log"), answer(&url(&shop), &["export", "-"])).unwrap();
    let output = fed(&url(&new), &["import", "-", "--json"], &path("log"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with(r#"{"events":3,"last_position":3,"#));
}

#[test]
fn a_file_that_was_cut_is_refused_with_the_line() {
    let (shop, (_folder, path), new) = (shop(), folder(), SqliteFile::migrated());
    let log = answer(&url(&shop), &["export", "-"]);
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    fs::write(path("cut"), lines[..lines.len() - 1].concat()).unwrap();
    let (code, said) = failure(&url(&new), &["import", &path("cut").display().to_string()]);
    let line = lines.len();
    assert_eq!(
        (code, said),
        (1, format!("error: line {line}: the file ends without its trailer; nothing imported\n"))
    );
    assert_eq!(answer(&url(&new), &["log"]), "");
}

/// An event in each line, and more of them than are read at once.
#[test]
fn a_compressed_file_that_was_cut_is_refused_with_the_line() {
    let (shop, (_folder, path), new) = (SqliteFile::migrated(), folder(), SqliteFile::migrated());
    for order in 0..100 {
        append(&mut shop.connect(), &order.to_string(), &["OrderPlaced"; 100]);
    }
    for name in ["log.jsonl.gz", "log.jsonl.zst"] {
        let file = path(name).display().to_string();
        answer(&url(&shop), &["export", &file]);
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() * 9 / 10]).unwrap();
        let (code, said) = failure(&url(&new), &["import", &file]);
        assert_eq!(code, 1);
        let line = said.split("behind line ").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or(&said);
        let line: u64 = line.replace(',', "").parse().unwrap_or_else(|_| panic!("{said}"));
        assert!((1_000..10_000).contains(&line), "{said}");
    }
}

/// As pzstd writes it: before each frame, how long it is.
#[test]
fn frames_that_say_nothing_of_the_log_are_skipped() {
    let (shop, (_folder, path), new) = (shop(), folder(), SqliteFile::migrated());
    let file = path("log.jsonl.zst").display().to_string();
    answer(&url(&shop), &["export", &file]);
    let frame = fs::read(&file).unwrap();
    let skipped = [&0x184D_2A50_u32.to_le_bytes()[..], &4_u32.to_le_bytes(), &[1, 2, 3, 4]].concat();
    fs::write(&file, [&skipped[..], &frame, &skipped].concat()).unwrap();
    assert_eq!(answer(&url(&new), &["import", &file]), "3 events imported; to position 3\n");
    fs::write(&file, [&frame[..], &skipped[..10]].concat()).unwrap();
    let (code, said) = failure(&url(&new), &["import", &file]);
    assert!(code == 1 && said.contains("could not be read: behind line "), "{said}");
}

#[test]
fn events_from_elsewhere_are_appended() {
    let ((_folder, path), new) = (folder(), shop());
    let line = r#"{"aggregate_type":"Order","aggregate_id":"o-1","event_type":"OrderShipped","payload":7}"#;
    fs::write(path("new"), format!("{line}\n{line}\n")).unwrap();
    let file = path("new").display().to_string();
    let said = answer(&url(&new), &["import", "--new", &file]);
    assert_eq!(said, "2 events imported; to position 5\n");
    let said = answer(&url(&new), &["import", "--new", &file]);
    assert_eq!(said, "0 events imported, 2 there already; to position 5\n");
    assert!(answer(&url(&new), &["stream", "Order", "o-1"]).contains("OrderShipped  7\n"));

    fs::write(path("wrong"), format!("{line}\n{}\n", line.replace("payload", "data"))).unwrap();
    let (code, said) = failure(&url(&new), &["import", "--new", &path("wrong").display().to_string()]);
    assert_eq!(code, 1);
    assert!(said.starts_with("error: line 2: unknown field `data`"), "{said}");
    assert!(said.ends_with("nothing imported\n"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (shop, (_folder, path)) = (shop(), folder());
    for command in ["import", "export"] {
        let file = path("nowhere/log.jsonl").display().to_string();
        let (code, said) = failure(&url(&shop), &[command, &file]);
        assert_eq!(code, 1);
        assert!(said.contains(&file), "{said}");
    }
}

#[test]
fn events_that_do_not_fit_are_refused() {
    let (shop, (_folder, path), new) = (shop(), folder(), SqliteFile::migrated());
    fs::write(path("log"), answer(&url(&shop), &["export", "-"])).unwrap();
    append(&mut new.connect(), "o-2", &["OrderPlaced"]);
    let (code, said) = failure(&url(&new), &["import", &path("log").display().to_string()]);
    assert_eq!(code, 1);
    assert!(said.starts_with("error: line 4: Order/o-2 has 1 events"), "{said}");
    assert!(said.ends_with("nothing imported\n"), "{said}");
}

#[test]
fn discarding_wants_to_be_confirmed() {
    let new = SqliteFile::migrated();
    let (code, said) = failure(&url(&new), &["import", "--discard"]);
    assert_eq!(code, 4);
    assert!(said.contains("would be removed") && said.contains("say --yes"), "{said}");
    assert_eq!(answer(&url(&new), &["import", "--discard", "--yes"]), "no import is under way\n");
}
