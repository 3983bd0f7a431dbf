//! What was answered is there after a kill, and what is repeated happens once.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::database::{Database, Result};
use super::orders::on_both;
use super::service::{Service, etag};

on_both! {
    a_kill_among_requests_loses_and_doubles_nothing, a_kill_among_requests_loses_and_doubles_nothing_postgres
        => killed;
}

const REQUESTS: usize = 50;

async fn killed(database: &Database) -> Result {
    let service = Service::start(database)?;
    database.supply("tea", 1_000).await?;
    service.place("o-1", "Ann").send().await?;

    let mut answered = vec![None; REQUESTS];
    let mut requests: FuturesUnordered<_> = (0..REQUESTS).map(|nth| add(&service, nth)).collect();
    for _ in 0..10 {
        let (nth, response) = requests.next().await.ok_or("a request is lost")?;
        answered[nth] = Some(response?.ok_or("no ETag")?);
    }
    drop(requests);
    service.kill()?;

    let service = Service::start(database)?;
    for (nth, before) in answered.iter().enumerate() {
        let (_, after) = add(&service, nth).await;
        let after = after?.ok_or("no ETag")?;
        assert!(before.as_ref().is_none_or(|before| *before == after), "{before:?}, then {after}");
    }
    let order: Value = service.get("/orders/o-1").send().await?.json().await?;
    assert_eq!(order["lines"], json!({ "tea": REQUESTS }));
    assert_eq!(database.left("tea").await?, Some(950));
    Ok(())
}

/// Which it was, and the version at which it left the order.
async fn add(service: &Service, nth: usize) -> (usize, Result<Option<String>>) {
    let request = service.add("o-1", "tea", 1).header("idempotency-key", format!("request-{nth}"));
    let response = async {
        let response = request.send().await?;
        assert_eq!(response.status(), StatusCode::OK);
        Ok(etag(&response))
    };
    (nth, response.await)
}
