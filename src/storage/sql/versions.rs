use diesel::sql_types::{BigInt, Nullable};

use crate::model::stream_id::StreamId;
use crate::storage::sql::statement::statement;

statement! {
    for every database;
    /// The version of an aggregate, and that of its last event, as one snapshot has them.
    Versions<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        same_tenant: &'a str => bind_tenant,
        same_type: &'a str => bind_text,
        same_id: &'a str => bind_text,
    } -> (Nullable<BigInt>, Nullable<BigInt>),
    "SELECT \
     (SELECT aggregate_version FROM aggregate_heads \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?), \
     (SELECT max(aggregate_version) FROM events \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?)"
}

pub(crate) fn versions(stream: &StreamId) -> Versions<'_> {
    Versions {
        tenant_id: stream.tenant_column(),
        aggregate_type: stream.aggregate_type(),
        aggregate_id: stream.aggregate_id(),
        same_tenant: stream.tenant_column(),
        same_type: stream.aggregate_type(),
        same_id: stream.aggregate_id(),
    }
}
