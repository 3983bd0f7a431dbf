//! Without a database.

use diesel_event_store::testing::{given, given_recorded};

use crate::order::{Order, OrderError, OrderEvent, Pay, Place};

fn placed() -> OrderEvent {
    OrderEvent::Placed { customer: "Ann".to_owned(), cents: 450 }
}

#[test]
fn an_order_is_placed_once() {
    let place = Place { customer: "Ann".to_owned(), cents: 450 };
    given::<Order>("o-1", []).when(&place).then([placed()]);
    given::<Order>("o-1", [placed()]).when(&place).then_rejected(OrderError::PlacedAlready);
}

#[test]
fn it_is_paid_once_and_in_full() {
    given::<Order>("o-1", [placed()]).when(&Pay { cents: 450 }).then([OrderEvent::Paid]);
    given::<Order>("o-1", [placed()]).when(&Pay { cents: 400 }).then_rejected(OrderError::Costs(450));
    let paid = [placed(), OrderEvent::Paid];
    given::<Order>("o-1", paid).when(&Pay { cents: 450 }).then_rejected(OrderError::NothingToPay);
}

#[test]
fn an_order_of_the_first_release_is_paid_in_cents() {
    given_recorded::<Order>("o-1", [("OrderPlaced", 1, r#"{"customer":"Ann","euros":12}"#)])
        .when(&Pay { cents: 1200 })
        .then([OrderEvent::Paid]);
}

/// Commands and decisions are what the shop is about, and would be there without events as well.
#[test]
fn events_and_their_fold_take_less_than_sixty_lines() {
    let (events, _commands) = include_str!("order.rs").split_once("pub struct Place {").expect("a command");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = events.lines().filter(is_code).count();
    assert!((20..60).contains(&lines), "{lines} lines");
}
