use diesel::prelude::*;
use diesel_event_store::{EventStore, StreamId};
use serde_json::json;

use super::events::show;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::{Output, number};

/// Tenant, type, id and version.
pub type Head = (String, String, String, i64);

/// The same query on the tables of each database.
macro_rules! heads {
    ($database:ident, $conn:expr, $aggregate_type:expr, $prefix:expr, $limit:expr) => {{
        use diesel_event_store::schema::$database::aggregate_heads::dsl;
        let mut query = dsl::aggregate_heads
            .select((dsl::tenant_id, dsl::aggregate_type, dsl::aggregate_id, dsl::aggregate_version))
            .order((dsl::tenant_id, dsl::aggregate_type, dsl::aggregate_id))
            .limit($limit)
            .into_boxed();
        if let Some(aggregate_type) = $aggregate_type {
            // Not `eq`: SQLite would not see that the key has them in this order, and sort every stream.
            let end = aggregate_type.clone();
            query = query.filter(dsl::aggregate_type.ge(aggregate_type)).filter(dsl::aggregate_type.le(end));
        }
        if let Some(prefix) = $prefix {
            let end = format!("{prefix}\u{10ffff}");
            query = query.filter(dsl::aggregate_id.ge(prefix)).filter(dsl::aggregate_id.le(end));
        }
        query.load::<Head>($conn)
    }};
}

pub fn heads(
    conn: &mut Database,
    aggregate_type: Option<String>,
    prefix: Option<String>,
    limit: i64,
) -> QueryResult<Vec<Head>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(conn) => heads!(sqlite, conn, aggregate_type, prefix, limit),
        #[cfg(feature = "postgres")]
        Database::Postgres(conn) => heads!(postgres, conn, aggregate_type, prefix, limit),
        #[cfg(feature = "mysql")]
        Database::Mysql(conn) => heads!(mysql, conn, aggregate_type, prefix, limit),
    }
}

pub fn streams(
    conn: &mut Database,
    aggregate_type: Option<String>,
    prefix: Option<String>,
    limit: i64,
    output: &mut Output,
) -> Result {
    let heads = heads(conn, aggregate_type, prefix, limit)?;
    if !output.is_json {
        return output.table(&heads.into_iter().map(row).collect::<Vec<_>>());
    }
    heads.into_iter().try_for_each(|(tenant, aggregate_type, aggregate_id, version)| {
        output.object(&json!({
            "tenant_id": tenant, "aggregate_type": aggregate_type, "aggregate_id": aggregate_id,
            "aggregate_version": version,
        }))
    })
}

fn row((tenant, aggregate_type, aggregate_id, version): Head) -> Vec<String> {
    let tenant = if tenant.is_empty() { tenant } else { format!("(tenant {tenant})") };
    vec![aggregate_type, aggregate_id, number(version), tenant]
}

pub fn stream(
    conn: &mut Database,
    aggregate_type: String,
    aggregate_id: String,
    tenant: Option<String>,
    output: &mut Output,
) -> Result {
    let stream = named(aggregate_type, aggregate_id, tenant)?;
    let store = EventStore::new();
    let begins = store.first_version(conn, &stream)?;
    let gone = format!("the events of {stream} up to version {} were archived or erased", begins - 1);
    let mut is_empty = true;
    for event in store.iter_stream(conn, &stream, ..) {
        if is_empty && begins > 1 {
            eprintln!("{gone}");
        }
        show(&event?, output)?;
        is_empty = false;
    }
    match (is_empty, begins) {
        (true, 1) => Err(Failure::new("no_stream", format!("{stream} has no events"))),
        (true, _) => Err(Failure::new("no_events", gone)),
        (false, _) => Ok(()),
    }
}

pub fn named(aggregate_type: String, aggregate_id: String, tenant: Option<String>) -> Result<StreamId> {
    let usage = |error: diesel_event_store::InvalidInput| Failure::Usage(error.to_string());
    let stream = StreamId::new(aggregate_type, aggregate_id).map_err(usage)?;
    match tenant {
        Some(tenant) => stream.in_tenant(tenant).map_err(usage),
        None => Ok(stream),
    }
}
