use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::model::ordering::LogOrdering;
use crate::schema::postgres::event_log;
use crate::storage::sql::statement::statement;

statement! {
    for PgConnection;
    SetOrdering<'a> { ordering: &'a str => Text },
    "SELECT event_store_set_ordering(?)"
}

pub(super) fn get(conn: &mut PgConnection) -> QueryResult<LogOrdering> {
    let name: String = event_log::table.select(event_log::ordering).get_result(conn)?;
    LogOrdering::stored(&name)
        .ok_or_else(|| diesel::result::Error::DeserializationError(format!("ordering {name:?}").into()))
}

pub(super) fn set(conn: &mut PgConnection, ordering: LogOrdering) -> QueryResult<()> {
    SetOrdering { ordering: ordering.name() }.execute(conn).map(drop)
}
