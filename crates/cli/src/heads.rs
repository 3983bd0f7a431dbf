//! The streams that there are, in the order of their key: tenant, type and id.

use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::database::Database;

/// Tenant, type, id and version.
pub type Head = (String, String, String, i64);

/// Which streams are wanted. What is empty says nothing.
#[derive(Clone, Default)]
pub struct Heads {
    pub tenant: String,
    pub aggregate_type: String,
    /// How the id begins.
    pub prefix: String,
}

/// A place in the order. The streams above it follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub tenant: String,
    pub aggregate_type: String,
    pub id: String,
}

pub struct Found {
    pub heads: Vec<Head>,
    /// Where to go on; none if there are no more. With fewer heads than were asked for, it has taken too long to
    /// find as many.
    pub rest: Option<Place>,
}

/// The same queries on the tables of each database. Each reads one range of the key.
macro_rules! queries {
    ($database:ident, $connection:ty) => {
        mod $database {
            use diesel::prelude::*;
            use diesel_event_store::schema::$database::aggregate_heads::dsl::*;

            use super::{Head, Place};

            /// Those above the place that have its tenant and type.
            pub fn of_kind(
                conn: &mut $connection,
                place: &Place,
                prefix: &str,
                limit: i64,
            ) -> QueryResult<Vec<Head>> {
                let lowest = prefix.max(&place.id);
                let mut query = aggregate_heads
                    .select((tenant_id, aggregate_type, aggregate_id, aggregate_version))
                    .filter(tenant_id.eq(&place.tenant))
                    .filter(aggregate_type.eq(&place.aggregate_type))
                    .filter(aggregate_id.ge(lowest))
                    .filter(aggregate_id.ne(&place.id))
                    .order(aggregate_id)
                    .limit(limit)
                    .into_boxed();
                if !prefix.is_empty() {
                    query = query.filter(aggregate_id.le(format!("{prefix}\u{10ffff}")));
                }
                query.load(conn)
            }

            pub fn next_type(conn: &mut $connection, place: &Place) -> QueryResult<Option<String>> {
                let of_tenant = aggregate_heads.filter(tenant_id.eq(&place.tenant));
                let later = of_tenant.filter(aggregate_type.gt(&place.aggregate_type));
                later.select(aggregate_type).order(aggregate_type).first(conn).optional()
            }

            pub fn next_tenant(conn: &mut $connection, place: &Place) -> QueryResult<Option<String>> {
                let later = aggregate_heads.filter(tenant_id.gt(&place.tenant));
                later.select(tenant_id).order(tenant_id).first(conn).optional()
            }
        }
    };
}

#[cfg(feature = "sqlite")]
queries!(sqlite, SqliteConnection);
#[cfg(feature = "postgres")]
queries!(postgres, PgConnection);
#[cfg(feature = "mysql")]
queries!(mysql, MysqlConnection);

macro_rules! on {
    ($conn:expr, $query:ident($($argument:expr),+)) => {
        match $conn {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(conn) => sqlite::$query(conn, $($argument),+),
            #[cfg(feature = "postgres")]
            Database::Postgres(conn) => postgres::$query(conn, $($argument),+),
            #[cfg(feature = "mysql")]
            Database::Mysql(conn) => mysql::$query(conn, $($argument),+),
        }
    };
}

impl Heads {
    /// The first above a place, or of all. The types of each tenant are visited one by one, so that streams
    /// which do not fit are not read, however many there are.
    pub fn find(
        &self,
        conn: &mut Database,
        after: Option<Place>,
        limit: usize,
        patience: Duration,
    ) -> QueryResult<Found> {
        let (begun, mut heads) = (Instant::now(), Vec::new());
        let mut place = after.unwrap_or_else(|| self.beginning());
        loop {
            if self.has(&place) {
                let room = i64::try_from(limit.saturating_add(1) - heads.len()).unwrap_or(i64::MAX);
                heads.extend(on!(conn, of_kind(&place, &self.prefix, room))?);
            }
            if heads.len() > limit {
                heads.truncate(limit);
                return Ok(Found { rest: heads.last().map(place_of), heads });
            }
            match self.next(conn, &place)? {
                None => return Ok(Found { heads, rest: None }),
                next if begun.elapsed() >= patience => return Ok(Found { heads, rest: next }),
                Some(next) => place = next,
            }
        }
    }

    fn beginning(&self) -> Place {
        Place { tenant: self.tenant.clone(), ..Place::default() }
    }

    fn has(&self, place: &Place) -> bool {
        let is_wanted = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        is_wanted(&self.tenant, &place.tenant) && is_wanted(&self.aggregate_type, &place.aggregate_type)
    }

    /// Before the first stream of the next type, or of the next tenant.
    fn next(&self, conn: &mut Database, place: &Place) -> QueryResult<Option<Place>> {
        let next_type = match &*self.aggregate_type {
            "" => on!(conn, next_type(place))?,
            only => (&*place.aggregate_type < only).then(|| only.to_owned()),
        };
        if let Some(aggregate_type) = next_type {
            return Ok(Some(Place { tenant: place.tenant.clone(), aggregate_type, id: String::new() }));
        }
        if !self.tenant.is_empty() {
            return Ok(None);
        }
        let tenant = on!(conn, next_tenant(place))?;
        Ok(tenant.map(|tenant| Place { tenant, ..Place::default() }))
    }
}

fn place_of((tenant, aggregate_type, id, _): &Head) -> Place {
    Place { tenant: tenant.clone(), aggregate_type: aggregate_type.clone(), id: id.clone() }
}
