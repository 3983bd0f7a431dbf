use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use diesel_event_store::{LogQuery, Position};
use futures_util::stream::{self, Stream};
use serde::Deserialize;

use super::said::Said;
use super::search::read;
use super::site::Site;
use super::wanted::Wanted;
use crate::failure::Result;

/// How long it waits at the end of the log.
const PAUSE: Duration = Duration::from_millis(500);
/// How many new events are counted at most.
const MOST: usize = 1_000;

#[derive(Deserialize)]
pub struct Asked {
    after: Position,
    #[serde(default)]
    types: String,
    #[serde(default)]
    correlation: String,
}

/// Counts the events that are new since a page was shown.
struct Watch {
    site: Site,
    wanted: Wanted,
    scanned_to: Position,
    count: usize,
}

/// How many new events there are, whenever there are more. If the database fails, the connection ends and the
/// browser begins again, with the same position.
pub async fn live(
    State(site): State<Site>,
    Said(Asked { after, types, correlation }): Said<Asked>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let wanted = Wanted { types, correlation };
    let watch = Watch { site, wanted, scanned_to: after, count: 0 };
    let counts = stream::unfold(watch, |mut watch| async move {
        let count = watch.next().await.ok()?;
        Some((Ok(Event::default().event("news").data(count.to_string())), watch))
    });
    Sse::new(counts).keep_alive(KeepAlive::default())
}

impl Watch {
    async fn next(&mut self) -> Result<usize> {
        let known = self.count;
        while self.count == known {
            tokio::time::sleep(PAUSE).await;
            if self.count < MOST {
                self.look().await?;
            }
        }
        Ok(self.count)
    }

    async fn look(&mut self) -> Result {
        let query = self.wanted.narrow(LogQuery::after(self.scanned_to).without_archived());
        let room = MOST - self.count;
        let slice = self.site.connections.read(move |conn| read(conn, &query, room)).await?;
        self.scanned_to = slice.scanned_to();
        self.count += slice.len();
        Ok(())
    }
}
