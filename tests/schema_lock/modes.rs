//! `EVENTS_LOCK`: nothing is written without it, `update` records what is compatible, `force` the rest.

use std::env;
use std::process::Command;

use diesel_event_store::schema_lock::FindingKind::{Dropped, New, Unreadable};
use diesel_event_store::schema_lock::{self, LockError, Mode, shapes};

use super::lock::{Lock, Result, kinds, release};

release!(first: struct { cents: u64, note: Option<String> });
release!(compatible: struct { cents: u64, note: Option<String>, by: Option<String> });
release!(breaking: struct { amount: u64 });
release!(dropping: struct { cents: u64 });

#[test]
fn without_a_file_a_check_fails_and_writes_none() -> Result {
    let lock = Lock::new()?;
    let failed = lock.run(Mode::Check, [shapes::<first::Events>()]);
    assert!(matches!(failed, Err(LockError::NoFile { .. })));
    assert!(!lock.path().exists());
    Ok(())
}

#[test]
fn a_check_writes_nothing() -> Result {
    let lock = Lock::of::<first::Events>()?;
    let text = lock.text()?;
    lock.finds::<compatible::Events>();
    assert_eq!(lock.text()?, text);
    Ok(())
}

#[test]
fn an_update_records_what_is_compatible() -> Result {
    let lock = Lock::of::<first::Events>()?;
    lock.run(Mode::Update, [shapes::<compatible::Events>()])?;
    assert_eq!(lock.finds::<compatible::Events>(), []);
    assert_eq!(lock.finds::<first::Events>(), [Dropped], "what the second release has written is kept, too");
    Ok(())
}

#[test]
fn an_update_fails_for_what_breaks_and_records_the_rest() -> Result {
    let lock = Lock::of::<first::Events>()?;
    assert_eq!(kinds(lock.run(Mode::Update, [shapes::<breaking::Events>()])), [Unreadable]);
    assert_eq!(kinds(lock.run(Mode::Update, [shapes::<dropping::Events>()])), [Dropped]);
    assert_eq!(
        kinds(lock.run(Mode::Update, [shapes::<dropping::Events>(), shapes::<other::Events>()])),
        [Dropped]
    );
    assert_eq!(kinds(lock.run(Mode::Check, [shapes::<first::Events>(), shapes::<other::Events>()])), []);
    Ok(())
}

mod other {
    use diesel_event_store::Event;

    #[derive(Event)]
    #[event(lock)]
    pub enum Events {
        #[event(name = "Shown")]
        Shown,
    }
}

#[test]
fn force_takes_what_breaks_and_what_is_gone() -> Result {
    let lock = Lock::of::<first::Events>()?;
    lock.run(Mode::Force, [shapes::<breaking::Events>()])?;
    assert_eq!(lock.finds::<breaking::Events>(), []);
    lock.run(Mode::Force, [shapes::<other::Events>()])?;
    assert_eq!(lock.finds::<other::Events>(), []);
    assert!(!lock.text()?.contains("Noted"));
    Ok(())
}

const FOLDER: &str = "TEST_LOCK_FOLDER";

/// Run by itself, it has no lock, so nothing is recorded; the test below runs it in a process with each
/// value.
#[test]
fn checks_as_the_environment_says() -> Result {
    let empty = Lock::new()?;
    let path =
        env::var_os(FOLDER).map_or_else(|| empty.path(), |folder| std::path::Path::new(&folder).join("lock"));
    let outcome = schema_lock::check(path, [shapes::<first::Events>()]);
    match env::var("EVENTS_LOCK").as_deref() {
        Ok("update" | "force") => outcome?,
        Ok("overwrite") => assert!(matches!(outcome, Err(LockError::Environment { .. })), "{outcome:?}"),
        _ => assert!(matches!(outcome, Err(LockError::NoFile { .. })), "{outcome:?}"),
    }
    Ok(())
}

#[test]
fn the_environment_says_whether_it_is_written() -> Result {
    for (value, is_written) in [("update", true), ("force", true), ("overwrite", false), ("", false)] {
        let folder = tempfile::tempdir()?;
        let run = Command::new(env::current_exe()?)
            .args(["--exact", "schema_lock::modes::checks_as_the_environment_says"])
            .env("EVENTS_LOCK", value)
            .env(FOLDER, folder.path())
            .output()?;
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "{value}: {said}");
        assert_eq!(folder.path().join("lock").exists(), is_written, "{value}");
    }
    Ok(())
}

#[test]
fn a_new_event_is_found_until_it_is_recorded() -> Result {
    let lock = Lock::of::<first::Events>()?;
    let both = || [shapes::<first::Events>(), shapes::<other::Events>()];
    assert_eq!(kinds(lock.run(Mode::Check, both())), [New]);
    lock.run(Mode::Update, both())?;
    lock.run(Mode::Check, both())?;
    Ok(())
}
