//! How far a projection has come.

use chrono::{SubsecRound, Utc};
use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{CheckpointError, EventConnection, EventStore, Position, chrono};
use test_support::{Result, TestDatabase, app_rows, create_app_rows, insert_app_row};

tests! {
    a_projection_has_none_until_it_is_saved,
    it_moves_forward,
    it_is_never_saved_backward,
    a_step_backward_is_refused_with_advice,
    it_is_rewound_by_name_only,
    it_is_deleted,
    they_are_listed_by_name,
    it_is_committed_with_the_read_model,
    it_is_rolled_back_with_the_read_model,
    a_step_backward_leaves_the_transaction_usable,
    names_are_kept_to_the_character,
}

fn position_of(conn: &mut impl EventConnection, name: &str) -> Result<Option<i64>, CheckpointError> {
    let checkpoint = EventStore::new().checkpoint(conn, name)?;
    Ok(checkpoint.map(|checkpoint| checkpoint.position().get()))
}

fn a_projection_has_none_until_it_is_saved<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    assert_eq!(store.checkpoint(&mut conn, "mailing list")?, None);
    assert!(store.checkpoints(&mut conn)?.is_empty());

    let before = Utc::now().trunc_subsecs(6);
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    let after = Utc::now();

    let checkpoint = store.checkpoint(&mut db.connect()?, "mailing list")?.expect("it was saved");
    assert_eq!(checkpoint.projection_name(), "mailing list");
    assert_eq!(checkpoint.position().get(), 20);
    assert!(before <= checkpoint.updated_at() && checkpoint.updated_at() <= after);
    Ok(())
}

fn it_moves_forward<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    // The same again is no step backward: a reader that has found nothing new saves it so.
    for position in [0, 1, 1, 20, i64::MAX - 1, i64::MAX, i64::MAX] {
        store.save_checkpoint(&mut conn, "mailing list", Position::new(position)?)?;
        assert_eq!(position_of(&mut conn, "mailing list")?, Some(position));
    }
    assert_eq!(store.checkpoints(&mut conn)?.len(), 1);
    Ok(())
}

fn it_is_never_saved_backward<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    let saved_before = store.checkpoint(&mut conn, "mailing list")?;
    for backward in [19, 1, 0] {
        let refused = store.save_checkpoint(&mut conn, "mailing list", Position::new(backward)?);
        match refused.unwrap_err() {
            CheckpointError::Backward { projection_name, saved, requested, .. } => {
                assert_eq!(projection_name, "mailing list");
                assert_eq!((saved.get(), requested.get()), (20, backward));
            }
            other => return Err(other.into()),
        }
    }
    assert_eq!(store.checkpoint(&mut conn, "mailing list")?, saved_before);
    Ok(())
}

fn a_step_backward_is_refused_with_advice<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    let error = store.save_checkpoint(&mut conn, "mailing list", Position::new(10)?).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the checkpoint of mailing list is at 20 and is not moved backward to 10; \
         to do that on purpose, call `rewind_checkpoint`"
    );
    assert!(!error.is_retryable());
    Ok(())
}

fn it_is_rewound_by_name_only<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    store.save_checkpoint(&mut conn, "search", Position::new(30)?)?;
    for position in [10, 0, 40] {
        store.rewind_checkpoint(&mut conn, "mailing list", Position::new(position)?)?;
        assert_eq!(position_of(&mut conn, "mailing list")?, Some(position));
    }
    store.rewind_checkpoint(&mut conn, "new", Position::new(5)?)?;
    assert_eq!(position_of(&mut conn, "new")?, Some(5));
    assert_eq!(position_of(&mut conn, "search")?, Some(30));
    Ok(())
}

fn it_is_deleted<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    store.save_checkpoint(&mut conn, "search", Position::new(30)?)?;
    assert!(store.delete_checkpoint(&mut conn, "mailing list")?);
    assert!(!store.delete_checkpoint(&mut conn, "mailing list")?);
    assert_eq!(position_of(&mut conn, "mailing list")?, None);
    assert_eq!(position_of(&mut conn, "search")?, Some(30));
    store.save_checkpoint(&mut conn, "mailing list", Position::new(1)?)?;
    assert_eq!(position_of(&mut conn, "mailing list")?, Some(1));
    Ok(())
}

fn they_are_listed_by_name<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    for (name, position) in [("search", 3), ("billing", 7), ("mailing list", 5), ("Search", 1)] {
        store.save_checkpoint(&mut conn, name, Position::new(position)?)?;
    }
    let listed = store.checkpoints(&mut conn)?;
    let listed: Vec<_> = listed.iter().map(|c| (c.projection_name(), c.position().get())).collect();
    assert_eq!(listed, [("Search", 1), ("billing", 7), ("mailing list", 5), ("search", 3)]);
    Ok(())
}

fn it_is_committed_with_the_read_model<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    let store = EventStore::new();
    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "applied")?;
        store.save_checkpoint(conn, "mailing list", Position::new(1)?)?;
        assert_eq!(position_of(conn, "mailing list")?, Some(1));
        Ok(())
    })?;
    let mut other = db.connect()?;
    assert_eq!(app_rows(&mut other)?, ["applied"]);
    assert_eq!(position_of(&mut other, "mailing list")?, Some(1));
    Ok(())
}

fn it_is_rolled_back_with_the_read_model<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "kept", Position::new(5)?)?;
    store.save_checkpoint(&mut conn, "rewound", Position::new(5)?)?;
    let rolled_back: Result = conn.transaction(|conn| {
        insert_app_row(conn, "applied")?;
        store.save_checkpoint(conn, "new", Position::new(1)?)?;
        store.rewind_checkpoint(conn, "rewound", Position::new(1)?)?;
        store.delete_checkpoint(conn, "kept")?;
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    let mut other = db.connect()?;
    assert!(app_rows(&mut other)?.is_empty());
    assert_eq!(position_of(&mut other, "new")?, None);
    assert_eq!(position_of(&mut other, "rewound")?, Some(5));
    assert_eq!(position_of(&mut other, "kept")?, Some(5));
    Ok(())
}

fn a_step_backward_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    let store = EventStore::new();
    store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "before")?;
        let refused = store.save_checkpoint(conn, "mailing list", Position::new(10)?);
        assert!(matches!(refused, Err(CheckpointError::Backward { .. })));
        insert_app_row(conn, "after")?;
        store.save_checkpoint(conn, "mailing list", Position::new(30)?)?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["after", "before"]);
    assert_eq!(position_of(&mut conn, "mailing list")?, Some(30));
    Ok(())
}

fn names_are_kept_to_the_character<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let names = ["a", "A", "a ", " a", "ä", "a\u{308}", "😀", "it's", "%", "_"];
    let store = EventStore::new();
    for (name, position) in names.into_iter().zip(1..) {
        store.save_checkpoint(&mut conn, name, Position::new(position)?)?;
    }
    for (name, position) in names.into_iter().zip(1..) {
        assert_eq!(position_of(&mut conn, name)?, Some(position), "{name:?}");
    }
    assert_eq!(store.checkpoints(&mut conn)?.len(), names.len());
    Ok(())
}
