//! The batch of most requests: one stream and a key, in a transaction of its own.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use uuid::Uuid;

use super::append::{
    advance_head, append_statement, create_or_advance_head, enter_alone, event_ids, events_statement,
    insert_events, of_events, placement, send_append,
};
use super::error::is_overtaken;
use super::outside::{is_marked, mark};
use crate::model::append_key::NewKey;
use crate::model::json::Json;
use crate::storage::append::{Batch, Placement};
use crate::storage::append_many::WholeBatch;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

/// A whole append with its key in one statement. Its locks are taken in the order of all batches: the row
/// that counts positions, the key, the head. It returns no row, and writes nothing, in a transaction that was
/// begun with SQL, if the key was used before, and if the head is known to be elsewhere. If the head turns
/// out to have moved meanwhile, there is a key and no head: the events lack their stream, which the table
/// refuses, and then the key is not kept either.
macro_rules! keyed_statement {
    ($name:ident, $head:expr) => {
        append_statement! {
            $name {
                key: &'a str => Text,
                fingerprint: i64 => BigInt,
                first_event_id: Uuid => diesel::sql_types::Uuid,
            } {},
            concat!(
                "WITH key AS (INSERT INTO append_keys \
                 (tenant_id, idempotency_key, fingerprint, first_event_id, event_count, created_at) \
                 SELECT $4, ?, ?, ?, $7, $8 WHERE NOT ",
                is_marked!(),
                " AND ",
                enter_alone!(),
                " AND coalesce((SELECT aggregate_version FROM aggregate_heads \
                 WHERE tenant_id = $4 AND aggregate_type = $5 AND aggregate_id = $6), 0) BETWEEN $10 AND $11 \
                 ON CONFLICT DO NOTHING RETURNING tenant_id), \
                 head AS (",
                $head,
                " RETURNING head.tenant_id, head.aggregate_type, head.aggregate_id, head.aggregate_version), ",
                insert_events!("$7, true", "$7", "$9", "key LEFT JOIN head ON true")
            )
        }
    };
}

keyed_statement!(AppendToStream, advance_head!("EXISTS (SELECT FROM key)"));
keyed_statement!(CreateOrAppendToStream, create_or_advance_head!("EXISTS (SELECT FROM key)"));

/// One round trip more than an append. `None` if nothing was written and the way of all batches has to find
/// out why, or if the batch is another one.
pub(super) async fn append_keyed<C>(conn: &mut C, whole: &WholeBatch<'_>) -> QueryResult<Option<Placement>>
where
    C: Server<Backend = Pg>,
{
    let ([batch], [], Some(key)) = (&*whole.streams, whole.guards, &whole.key) else { return Ok(None) };
    if conn.depth()? > 0 {
        return Ok(None);
    }
    mark(conn).await?;
    match insert(conn, batch, key).await {
        Err(error) if is_overtaken(&error) || is_refused(&error) => Ok(None),
        rows => Ok(placement(rows?)),
    }
}

async fn insert<C>(conn: &mut C, batch: &Batch<'_>, key: &NewKey<'_>) -> QueryResult<Vec<(i64, i64)>>
where
    C: Server<Backend = Pg>,
{
    send_append!(conn, batch, {
        key: key.key,
        fingerprint: key.append.fingerprint,
        first_event_id: key.append.first_event_id,
    })
}

/// A table has refused what the statement would have written.
fn is_refused(error: &Error) -> bool {
    use DatabaseErrorKind::{NotNullViolation, UniqueViolation};
    matches!(error, Error::DatabaseError(NotNullViolation | UniqueViolation, _))
}
