//! The lock file: stable, sorted, and easy to compare.

use diesel_event_store::schema_lock::{LockError, Mode, shapes};

use super::lock::{Lock, Result, release};

release!(first: struct { cents: u64, note: Option<String> });
release!(second: struct { note: Option<String>, cents: u64, #[serde(default)] by: Vec<String> });

const FIRST: &str = r#"{
  "events": {
    "Noted": {
      "1": [
        {
          "properties": {
            "cents": {
              "format": "uint64",
              "minimum": 0,
              "type": "integer"
            },
            "note": {
              "type": [
                "null",
                "string"
              ]
            }
          },
          "required": [
            "cents",
            "note"
          ],
          "type": "object"
        }
      ]
    }
  }
}
"#;

#[test]
fn it_is_sorted_and_ends_with_a_newline() -> Result {
    assert_eq!(Lock::of::<first::Events>()?.text()?, FIRST);
    Ok(())
}

#[test]
fn what_was_locked_stays_beside_what_is_new() -> Result {
    let lock = Lock::of::<first::Events>()?;
    lock.run(Mode::Update, [shapes::<second::Events>()])?;
    let both: serde_json::Value = serde_json::from_str(&lock.text()?)?;
    let kept: serde_json::Value = serde_json::from_str(FIRST)?;
    let schemas = both["events"]["Noted"]["1"].as_array().expect("a list");
    assert_eq!((schemas.len(), &schemas[0]), (2, &kept["events"]["Noted"]["1"][0]));
    Ok(())
}

#[test]
fn an_update_without_a_change_leaves_it_as_it_is() -> Result {
    let lock = Lock::of::<first::Events>()?;
    lock.run(Mode::Update, [shapes::<second::Events>()])?;
    let text = lock.text()?;
    for mode in [Mode::Update, Mode::Force, Mode::Check] {
        lock.run(mode, [shapes::<second::Events>()])?;
        assert_eq!(lock.text()?, text);
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_lock_is_refused_and_kept() -> Result {
    let lock = Lock::new()?;
    for text in ["", "[]", "<<<<<<< HEAD", r#"{"events":{},"more":{}}"#, r#"{"events":{"Noted":{"one":[]}}}"#]
    {
        std::fs::write(lock.path(), text)?;
        let refused = lock.run(Mode::Force, [shapes::<first::Events>()]);
        assert!(matches!(refused, Err(LockError::NotALock { .. })), "{text}: {refused:?}");
        assert_eq!(lock.text()?, text);
    }
    Ok(())
}

/// A merge has kept both sides.
#[test]
fn a_lock_that_has_something_twice_is_refused_and_kept() -> Result {
    let lock = Lock::new()?;
    let other = r#"[{"type": "string"}]"#;
    for (at, twice) in [
        ("\"Noted\": {", format!("\"Noted\": {{\"1\": {other}}}, \"Noted\": {{")),
        ("\"1\": [", format!("\"1\": {other}, \"1\": [")),
        ("\"cents\": {", "\"cents\": {\"type\": \"string\"}, \"cents\": {".to_owned()),
    ] {
        let text = FIRST.replacen(at, &twice, 1);
        std::fs::write(lock.path(), &text)?;
        for mode in [Mode::Check, Mode::Update, Mode::Force] {
            let refused = lock.run(mode, [shapes::<first::Events>()]).unwrap_err();
            assert!(matches!(refused, LockError::NotALock { .. }), "{refused}");
            let name = at.split(':').next().unwrap_or_default();
            assert!(refused.to_string().contains(&format!("{name} is there twice at line")), "{refused}");
            assert_eq!(lock.text()?, text);
        }
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_that_names_it() -> Result {
    let lock = Lock::new()?;
    std::fs::create_dir(lock.path())?;
    let refused = lock.run(Mode::Update, [shapes::<first::Events>()]).unwrap_err();
    assert!(matches!(refused, LockError::File { .. }));
    assert!(refused.to_string().contains("events.lock.json"), "{refused}");
    Ok(())
}
