//! Reading guesses nothing: what a program does not know is an error that names the event.

use diesel_event_store::projection::{FailureKind, HandlerError};
use diesel_event_store::{
    Decoded, Event, EventError, EventProblem, InvalidInput, NewEvent, Position, RecordedEvent, StreamId,
};
use serde::{Deserialize, Serialize};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Deposited {
    cents: i64,
}

#[derive(Debug, PartialEq, Event)]
enum AccountEvent {
    #[event(name = "MoneyDeposited")]
    Deposited(Deposited),
    #[event(name = "AccountRenamed", alias = "AccountTitled")]
    Renamed { to: String },
    #[event(name = "AccountClosed")]
    Closed,
}

pub(super) fn recorded(event: NewEvent) -> std::result::Result<RecordedEvent, InvalidInput> {
    event.recorded(&StreamId::new("Account", "a-1")?, 3, Position::new(7)?)
}

fn stored(
    name: &'static str,
    version: i32,
    payload: &str,
) -> std::result::Result<RecordedEvent, InvalidInput> {
    recorded(NewEvent::from_json(name, payload)?.event_version(version))
}

#[test]
fn what_was_written_is_read() -> Result {
    for event in [
        AccountEvent::Deposited(Deposited { cents: 1250 }),
        AccountEvent::Renamed { to: "savings \u{1f4b0}".into() },
        AccountEvent::Closed,
    ] {
        let read = AccountEvent::decode(&recorded(event.to_new()?)?)?;
        assert_eq!(read, Decoded::One(event));
    }
    Ok(())
}

#[test]
fn an_alias_is_read_and_not_written() -> Result {
    let renamed = AccountEvent::Renamed { to: "x".into() };
    let read = AccountEvent::decode(&stored("AccountTitled", 1, r#"{"to":"x"}"#)?)?;
    assert_eq!((read, renamed.event_type().name()), (Decoded::One(renamed), "AccountRenamed"));
    Ok(())
}

#[test]
fn an_unknown_type_is_an_error_that_names_the_event() -> Result {
    let error = AccountEvent::decode(&stored("AccountFrozen", 1, "{}")?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::UnknownType));
    assert!(error.to_string().starts_with("AccountFrozen version 1, event 3 of Account/a-1 at position 7"));
    Ok(())
}

#[test]
fn a_newer_version_says_to_deploy_readers_before_writers() -> Result {
    let error = AccountEvent::decode(&stored("MoneyDeposited", 2, "{}")?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::NewerVersion { newest: 1, .. }));
    assert!(error.to_string().contains("Deploy readers before writers"), "{error}");
    Ok(())
}

#[test]
fn content_of_another_form_is_undecodable() -> Result {
    for payload in ["null", r#"{"cents":"12"}"#, r#"{"cents":1e400}"#] {
        let error = AccountEvent::decode(&stored("MoneyDeposited", 1, payload)?).unwrap_err();
        assert!(matches!(error.problem(), EventProblem::Undecodable { .. }), "{payload}: {error}");
    }
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
enum Everything {
    #[event(flatten)]
    Account(AccountEvent),
    #[event(name = "Audited")]
    Audited,
    #[event(other)]
    Other,
}

#[test]
fn an_enum_of_enums_reads_the_events_of_both() -> Result {
    let closed = Everything::Account(AccountEvent::Closed);
    assert_eq!(Everything::decode(&recorded(closed.to_new()?)?)?, Decoded::One(closed));
    assert_eq!(Everything::decode(&stored("Audited", 1, "{}")?)?, Decoded::One(Everything::Audited));
    assert_eq!(Everything::decode(&stored("Anything", 9, "[]")?)?, Decoded::One(Everything::Other));
    Ok(())
}

/// Has no variant of its own for them.
#[derive(Debug, PartialEq, Event)]
enum Logged {
    #[event(name = "LoggedIn")]
    In,
    #[event(flatten)]
    Everything(Everything),
}

#[test]
fn an_inner_enum_takes_the_events_of_other_types() -> Result {
    let read = Logged::decode(&stored("Anything", 9, "[]")?)?;
    assert_eq!(read, Decoded::One(Logged::Everything(Everything::Other)));
    assert_eq!(Logged::decode(&stored("LoggedIn", 1, "{}")?)?, Decoded::One(Logged::In));
    const { assert!(Logged::TAKES_OTHERS) };
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
enum Audit {
    #[event(name = "Audited")]
    Audited,
    #[event(other)]
    Other,
}

#[derive(Debug, PartialEq, Event)]
enum Audited {
    #[event(flatten)]
    Audit(Audit),
    #[event(flatten)]
    Account(AccountEvent),
}

#[test]
fn an_inner_enum_takes_no_events_that_another_names() -> Result {
    let closed = Audited::Account(AccountEvent::Closed);
    assert_eq!(Audited::decode(&recorded(closed.to_new()?)?)?, Decoded::One(closed));
    let anything = Audited::decode(&stored("Anything", 1, "{}")?)?;
    assert_eq!(anything, Decoded::One(Audited::Audit(Audit::Other)));
    Ok(())
}

#[test]
fn an_enum_of_enums_names_the_types_of_both() {
    let names: Vec<_> = Everything::TYPES.iter().map(|known| known.name()).collect();
    assert_eq!(names, ["Audited", "MoneyDeposited", "AccountRenamed", "AccountTitled", "AccountClosed"]);
    const { assert!(Everything::TAKES_OTHERS && !AccountEvent::TAKES_OTHERS) };
}

#[test]
fn the_newest_version_of_an_inner_enum_counts() -> Result {
    let error = Everything::decode(&stored("MoneyDeposited", 2, "{}")?).unwrap_err();
    assert!(
        matches!(error.problem(), EventProblem::NewerVersion { .. }),
        "it is not taken for another event: {error}"
    );
    Ok(())
}

/// The errors of an application, as they are mostly written.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Store(#[from] diesel_event_store::Error),
    #[error("while it was shipped")]
    Shipping(#[source] Box<ShopError>),
}

#[test]
fn what_cannot_be_read_is_known_inside_any_other_error() -> Result {
    let read = |name, version| {
        let stored = stored(name, version, "null").expect("it can be stored");
        AccountEvent::decode(&stored).unwrap_err()
    };
    let wrap: [fn(EventError) -> HandlerError; 4] = [
        HandlerError::from,
        |error| ShopError::from(error).into(),
        |error| ShopError::from(diesel_event_store::Error::from(error)).into(),
        |error| ShopError::Shipping(Box::new(error.into())).into(),
    ];
    for wrap in wrap {
        assert_eq!(wrap(read("AccountFrozen", 1)).kind(), FailureKind::UnknownEventType);
        assert_eq!(wrap(read("MoneyDeposited", 2)).kind(), FailureKind::UnknownEventType);
        assert_eq!(wrap(read("MoneyDeposited", 1)).kind(), FailureKind::Undecodable);
    }
    Ok(())
}
