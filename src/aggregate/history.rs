//! How the state of an aggregate is folded from its events.

use super::any_connection::AnyConnection;
use super::look::{Kept, Look};
use super::snapshot::restored;
use super::{AggregateRef, LoadError};
use crate::decision::{Aggregate, Loaded};
use crate::model::stream_id::StreamId;

impl<A: Aggregate, S> AggregateRef<A, S> {
    pub(super) async fn read<C: AnyConnection>(&self, conn: &mut C) -> Result<Loaded<A>, LoadError> {
        from_the_beginning(conn, self.stream()?, Look::at_all(Kept::of::<A>())).await
    }

    /// Inside a transaction other appends are kept out first.
    pub(super) async fn read_to_decide<C: AnyConnection>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<Loaded<A>, LoadError> {
        let look = Look::to_decide(Kept::of::<A>(), self.expected.is_some());
        from_the_beginning(conn, stream, look).await
    }
}

/// Reads what is new since the aggregate was loaded.
pub(super) async fn read_on<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    known: Loaded<A>,
) -> Result<Loaded<A>, LoadError> {
    let look = match known.version {
        0 => Look::at_all(None), // it has turned out that there are events, or were
        version => Look::after(version),
    };
    read(conn, stream, look, known).await
}

/// The state at this version, without a snapshot.
pub(super) async fn up_to<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    version: i64,
) -> Result<Loaded<A>, LoadError> {
    from_the_beginning(conn, stream, Look::up_to(version)).await
}

async fn from_the_beginning<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    look: Look,
) -> Result<Loaded<A>, LoadError> {
    read(conn, stream, look, Loaded::initial(stream.aggregate_id())).await
}

async fn read<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    mut look: Look,
    mut loaded: Loaded<A>,
) -> Result<Loaded<A>, LoadError> {
    loop {
        let seen = conn.look(stream, look).await?;
        seen.refuse_archived(stream)?;
        if let Some(snapshot) = seen.snapshot {
            let Some(state) = restored(stream, &snapshot) else {
                look = look.go_on(loaded.version);
                continue;
            };
            loaded = Loaded { state, version: snapshot.version };
        }
        loaded = loaded.after(&seen.events)?;
        if seen.is_all {
            return Ok(loaded.at_least(seen.end));
        }
        look = look.go_on(loaded.version);
    }
}
