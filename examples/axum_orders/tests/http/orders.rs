//! Orders, as clients see them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::try_join_all;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::database::{Database, Result};
use super::service::{Service, answer, etag};

/// Each on both databases.
macro_rules! on_both {
    ($($name:ident, $on_postgres:ident => $test:path;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() -> Result {
            $test(&Database::sqlite()?).await
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $on_postgres() -> Result {
            let database = Database::postgres().await?;
            $test(&database).await?;
            database.drop().await
        }
    )+};
}
pub(super) use on_both;

on_both! {
    requests_on_one_order_all_get_through, requests_on_one_order_all_get_through_postgres
        => all_get_through;
    a_client_that_has_not_seen_the_last_change_is_refused,
    a_client_that_has_not_seen_the_last_change_is_refused_postgres => not_seen;
    a_request_that_comes_again_gets_the_same_answer, a_request_that_comes_again_gets_the_same_answer_postgres
        => again;
    what_is_refused_leaves_nothing, what_is_refused_leaves_nothing_postgres => refused;
    a_client_reads_what_it_has_written, a_client_reads_what_it_has_written_postgres => own_writes;
    the_health_is_told, the_health_is_told_postgres => health;
    requests_are_answered_before_the_end, requests_are_answered_before_the_end_postgres => shutdown;
    the_end_may_be_asked_for_at_once, the_end_may_be_asked_for_at_once_postgres => at_once;
}

async fn all_get_through(database: &Database) -> Result {
    let service = Service::start(database)?;
    database.supply("tea", 60).await?;
    assert_eq!(answer(service.place("o-1", "Ann")).await?.0, StatusCode::OK);

    let responses = try_join_all((0..50).map(|_| service.add("o-1", "tea", 1).send())).await?;
    assert!(responses.iter().all(|response| response.status() == StatusCode::OK), "{responses:?}");
    let versions: BTreeSet<_> = responses.iter().map(etag).collect();
    assert_eq!(versions.len(), 50, "each has a version of its own");

    let order = service.get("/orders/o-1").send().await?;
    assert_eq!(etag(&order).as_deref(), Some("\"51\""));
    assert_eq!(order.json::<Value>().await?["lines"], json!({ "tea": 50 }));
    assert_eq!(database.left("tea").await?, Some(10));
    Ok(())
}

async fn not_seen(database: &Database) -> Result {
    let service = Service::start(database)?;
    database.supply("tea", 9).await?;
    let seen = etag(&service.place("o-1", "Ann").send().await?).ok_or("no ETag")?;

    let add = || service.add("o-1", "tea", 1).header("if-match", &seen).send();
    let (one, other) = (add().await?, add().await?);
    assert_eq!([one.status(), other.status()], [StatusCode::OK, StatusCode::PRECONDITION_FAILED]);
    assert_eq!(database.left("tea").await?, Some(8));

    let current = etag(&one).ok_or("no ETag")?;
    assert_eq!(answer(service.pay("o-1").header("if-match", current)).await?.0, StatusCode::OK);
    Ok(())
}

async fn again(database: &Database) -> Result {
    let service = Service::start(database)?;
    database.supply("tea", 9).await?;
    service.place("o-1", "Ann").send().await?;

    let add = |pieces| service.add("o-1", "tea", pieces).header("idempotency-key", "request-1").send();
    let (first, same) = (add(2).await?, add(2).await?);
    assert_eq!([first.status(), same.status()], [StatusCode::OK; 2]);
    assert_eq!(etag(&first), etag(&same));
    assert_eq!(database.left("tea").await?, Some(7));
    Ok(())
}

async fn refused(database: &Database) -> Result {
    let service = Service::start(database)?;
    database.supply("tea", 2).await?;
    let before = etag(&service.place("o-1", "Ann").send().await?);

    assert_eq!(answer(service.add("o-1", "tea", 3)).await?.0, StatusCode::CONFLICT);
    assert_eq!(answer(service.add("o-1", "tea", 0)).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer(service.place("o-1", "Bob")).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer(service.pay("o-1").header("if-match", "1")).await?.0, StatusCode::BAD_REQUEST);
    assert_eq!(answer(service.pay("o-2")).await?.0, StatusCode::NOT_FOUND);
    assert_eq!(answer(service.get("/orders/o-2")).await?.0, StatusCode::NOT_FOUND);
    let (status, error) = answer(service.place(&"o".repeat(256), "Ann")).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error["error"].as_str().is_some_and(|error| error.contains("aggregate_id")), "{error}");

    let place = |customer: &str| service.place("o-3", customer);
    assert_eq!(answer(place(&"a".repeat(256))).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    let key = HeaderValue::from_bytes("schlüssel".as_bytes())?;
    assert_eq!(answer(place("Ann").header("idempotency-key", key)).await?.0, StatusCode::BAD_REQUEST);
    for trace in ["", "00", "00--", "nonsense-x", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
        let order = format!("o-{trace}");
        let (status, answer) = answer(service.place(&order, "Ann").header("traceparent", trace)).await?;
        assert_eq!(status, StatusCode::OK, "{trace:?}: {answer}");
    }

    assert_eq!(etag(&service.get("/orders/o-1").send().await?), before);
    assert_eq!(database.left("tea").await?, Some(2));
    Ok(())
}

async fn own_writes(database: &Database) -> Result {
    let service = Service::start(database)?;
    for (order, customer) in [("o-1", "Ann"), ("o-2", "Bob")] {
        let placed = service.place(order, customer).send().await?;
        let position = placed.headers()["position"].clone();
        let (_, open) = answer(service.get("/open-orders").header("read-after", position)).await?;
        assert_eq!(open[order], customer, "{open}");
    }
    let paid = service.pay("o-1").send().await?;
    let position = paid.headers()["position"].clone();
    let (_, open) = answer(service.get("/open-orders").header("read-after", position)).await?;
    assert_eq!(open, json!({ "o-2": "Bob" }));
    Ok(())
}

async fn health(database: &Database) -> Result {
    let service = Service::start(database)?;
    let mut health = answer(service.get("/health")).await?;
    // Until the runner has its partition.
    while health.0 == StatusCode::SERVICE_UNAVAILABLE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        health = answer(service.get("/health")).await?;
    }
    let (status, health) = health;
    assert_eq!(status, StatusCode::OK, "{health}");
    assert_eq!(health["projections"][0]["name"], "open orders");
    Ok(())
}

async fn shutdown(database: &Database) -> Result {
    let service = Service::start(database)?;
    let requests = (0..20).map(|nth| service.place(&format!("o-{nth}"), "Ann").send());
    let (answered, asked) = futures_util::future::join(try_join_all(requests), async {
        tokio::task::yield_now().await;
        service.ask_to_stop()
    })
    .await;
    asked?;
    // Each is answered, or was refused before it was taken.
    if let Ok(answered) = answered {
        assert!(answered.iter().all(|response| response.status() == StatusCode::OK), "{answered:?}");
    }
    assert!(service.ended()?.success());
    Ok(())
}

async fn at_once(database: &Database) -> Result {
    for _ in 0..10 {
        let service = Service::start(database)?;
        service.ask_to_stop()?;
        assert!(service.ended()?.success());
    }
    Ok(())
}
