//! Ctrl-C: what has begun ends behind a batch, and goes on when the command is run again.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use diesel_event_store::{EventStore, LogState};
use test_support::sqlite_file::SqliteFile;
use test_support::{count, eventually};

use super::run::{answer, command, text};
use super::shop::{append, shop, url};
#[cfg(target_os = "linux")]
use super::terminal::Terminal;

const STORE: EventStore = EventStore::new();
/// Many times what an import reads ahead.
const EVENTS: i64 = 50_000;
const INTERRUPTED: Option<i32> = Some(130);

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// How it ends, and what it says.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output.stderr))
}

fn started(arguments: &[&str], url: &str) -> Child {
    let mut command = command(arguments);
    command.env("DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A log of several batches.
fn large_shop() -> SqliteFile {
    let shop = SqliteFile::migrated();
    for order in 0..EVENTS / 100 {
        append(&mut shop.connect(), &order.to_string(), &["OrderPlaced"; 100]);
    }
    shop
}

/// None as long as there is no table.
fn events(target: &SqliteFile) -> i64 {
    let exists = target.path().exists();
    if exists { count(&mut target.connect_plainly(), "events").unwrap_or(0) } else { 0 }
}

/// Until this database has some of the events.
fn wait_for_a_batch(target: &SqliteFile, child: &mut Child) {
    eventually("a batch has arrived", || Ok(events(target) > 0 || child.try_wait()?.is_some())).unwrap();
}

#[test]
fn an_interrupted_import_goes_on() {
    let shop = large_shop();
    let file = shop.path().with_extension("jsonl").display().to_string();
    answer(&url(&shop), &["export", &file]);
    // On a fast machine one may have come to its end before it is interrupted.
    for _ in 0..20 {
        let target = SqliteFile::migrated();
        let mut child = started(&["import", &file], &url(&target));
        wait_for_a_batch(&target, &mut child);
        interrupt(&child);
        let (code, said) = end(child);
        if code == Some(0) {
            continue;
        }
        assert_eq!(code, INTERRUPTED, "{said}");
        assert!(said.starts_with("error: interrupted after a batch; the log stays closed"), "{said}");
        let closed = STORE.log_closed(&mut target.connect()).unwrap().expect("it is closed");
        assert_eq!(closed.state(), LogState::Receiving);
        let there = count(&mut target.connect(), "events").unwrap();
        assert!(there > 0);
        let rest = answer(&url(&target), &["import", &file, "--json"]);
        assert!(rest.starts_with(&format!(r#"{{"events":{},"#, EVENTS - there)), "{rest}");
        assert_eq!(answer(&url(&target), &["export", "-"]), answer(&url(&shop), &["export", "-"]));
        return;
    }
    panic!("no import was interrupted");
}

#[test]
fn an_interrupted_copy_goes_on() {
    let shop = large_shop();
    for _ in 0..20 {
        let target = SqliteFile::absent();
        let (from, to) = (url(&shop), url(&target));
        let arguments = ["copy", &*from, &*to];
        let mut child = started(&arguments, "");
        wait_for_a_batch(&target, &mut child);
        interrupt(&child);
        let (code, said) = end(child);
        if code == Some(4) {
            continue; // it has copied everything, and would ask
        }
        assert_eq!(code, INTERRUPTED, "{said}");
        assert!(said.starts_with("error: interrupted; the source is in use as before\n"), "{said}");
        let advice = format!("to go on: diesel-event-store copy {from} {to}\n");
        assert!(said.contains(&advice), "{said}");
        append(&mut shop.connect(), "0", &["OrderPaid"]);
        answer("", &[&arguments[..], &["--yes"]].concat());
        assert_eq!(answer(&url(&target), &["export", "-"]), answer(&url(&shop), &["export", "-"]));
        return;
    }
    panic!("no copy was interrupted");
}

#[test]
fn a_target_follows_until_it_is_interrupted() {
    let (shop, target) = (shop(), SqliteFile::absent());
    let (from, to) = (url(&shop), url(&target));
    let arguments = ["copy", &from, &to, "--keep", "mails"];
    let child = started(&[&arguments[..], &["--follow"]].concat(), "");
    let arrives = |wanted: i64| eventually("they arrive", || Ok(events(&target) == wanted)).unwrap();
    arrives(3);
    append(&mut shop.connect(), "o-1", &["OrderShipped"]);
    arrives(4);
    assert_eq!(answer(&url(&target), &["log", "--json"]), answer(&url(&shop), &["log", "--json"]));
    interrupt(&child);
    let (code, said) = end(child);
    assert_eq!(code, INTERRUPTED);
    assert!(said.contains(&format!("diesel-event-store copy {from} {to} --keep=mails --follow")), "{said}");
    assert_eq!(STORE.log_closed(&mut shop.connect()).unwrap(), None);
    let moved = answer("", &[&arguments[..], &["--yes"]].concat());
    assert!(moved.contains("0 events copied, all equal to position 4"), "{moved}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn what_is_interrupted_leaves_no_file() {
    let (shop, folder) = (large_shop(), tempfile::tempdir().unwrap());
    let file = folder.path().join("log.jsonl");
    let name = file.display().to_string();
    for _ in 0..20 {
        let mut child = started(&["export", &name], &url(&shop));
        eventually("it has begun", || {
            let begun =
                files(folder.path()).iter().any(|file| fs::metadata(file).is_ok_and(|file| file.len() > 0));
            Ok(begun || child.try_wait()?.is_some())
        })
        .unwrap();
        interrupt(&child);
        let (code, said) = end(child);
        if code == Some(0) {
            fs::remove_file(&file).unwrap();
            continue;
        }
        assert_eq!(code, INTERRUPTED, "{said}");
        assert!(said.starts_with("error: interrupted; nothing was exported"), "{said}");
        assert!(files(folder.path()).is_empty());
        return;
    }
    panic!("no export was interrupted");
}

/// What it reads does not come, so it cannot end by itself. A signal that comes before it waits is noticed at
/// once.
#[test]
fn the_second_ctrl_c_ends_at_once() {
    let (target, folder) = (SqliteFile::migrated(), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for _ in 0..20 {
        let mut child = started(&["import", &pipe.display().to_string()], &url(&target));
        // Opens once the command reads.
        let _writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        let mut signals = 0;
        while child.try_wait().unwrap().is_none() {
            interrupt(&child);
            signals += 1;
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(end(child).0, INTERRUPTED);
        if signals > 1 {
            return;
        }
    }
    panic!("it never waited for what it reads");
}

#[test]
#[cfg(target_os = "linux")]
fn a_question_ends_with_ctrl_c() {
    let (shop, target) = (shop(), SqliteFile::absent());
    let (from, to) = (url(&shop), url(&target));
    let copy = || {
        let mut terminal = Terminal::of(&["copy", &from, &to, "--rebuild", "mails"]);
        terminal.wait_for("Go on? [y/N] ");
        terminal
    };
    let mut terminal = copy();
    terminal.type_in(b"\x03");
    let (code, shown) = terminal.end();
    assert_eq!(code, INTERRUPTED, "{shown}");
    assert!(shown.contains(" interrupted; the source is in use as before"), "{shown}");
    assert_eq!(STORE.log_closed(&mut shop.connect()).unwrap(), None);

    let mut terminal = copy();
    terminal.type_in(b"y\n");
    let (code, shown) = terminal.end();
    assert!(code == Some(0) && shown.contains("all equal to position 3"), "{shown}");
}
