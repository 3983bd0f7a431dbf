//! PostgreSQL, in the server that `TEST_POSTGRES_URL` names.

use diesel::prelude::*;

use super::server::Place;
use crate::{Result, TestDatabase};

/// Through diesel's own connection.
pub struct Postgres {
    place: Place,
}

impl TestDatabase for Postgres {
    type Conn = PgConnection;

    fn create() -> Result<Self> {
        let place = Place::in_server("TEST_POSTGRES_URL")?;
        let create = format!("CREATE DATABASE {}", place.name());
        diesel::sql_query(create).execute(&mut PgConnection::establish(place.server_url())?)?;
        Ok(Self { place })
    }

    fn url(&self) -> String {
        self.place.url()
    }

    fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::establish(&self.url())?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = drop_database(&self.place) {
            eprintln!("DROP DATABASE {}: {error}", self.place.name());
        }
    }
}

/// With whoever is still connected to it.
fn drop_database(place: &Place) -> Result {
    let mut conn = PgConnection::establish(place.server_url())?;
    diesel::sql_query(format!("DROP DATABASE {} WITH (FORCE)", place.name())).execute(&mut conn)?;
    Ok(())
}
