//! A projection that is written for one of diesel's connections fits what a pool gives out.

use std::ops::DerefMut;

#[cfg(all(feature = "r2d2", feature = "_blocking"))]
use diesel::r2d2::{ManageConnection, PooledConnection};

use super::definition::Projection;
use super::handler::Handler;
use crate::storage::connection::EventConnection;

impl<C: 'static> Projection<C> {
    /// The same projection for connections of another type, which lends the one that the handler takes: a
    /// pool's guard, a connection with something beside it.
    ///
    /// r2d2's `PooledConnection` of one of diesel's own connections needs no such call:
    /// [`Runner::projection`](super::Runner::projection) takes the projection as it is.
    ///
    /// ```
    /// use std::ops::{Deref, DerefMut};
    ///
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::Projection;
    /// use diesel_event_store::{ConnectionRef, EventConnection};
    ///
    /// struct Tenant(SqliteConnection);
    ///
    /// impl Deref for Tenant {
    ///     type Target = SqliteConnection;
    ///     fn deref(&self) -> &SqliteConnection {
    ///         &self.0
    ///     }
    /// }
    ///
    /// impl DerefMut for Tenant {
    ///     fn deref_mut(&mut self) -> &mut SqliteConnection {
    ///         &mut self.0
    ///     }
    /// }
    ///
    /// impl EventConnection for Tenant {
    ///     fn lend(&mut self) -> ConnectionRef<'_> {
    ///         self.0.lend()
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut tenant = Tenant(SqliteConnection::establish(":memory:")?);
    /// diesel_event_store::run_pending_migrations(&mut tenant)?;
    ///
    /// let orders = Projection::new("orders", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
    /// orders.lent_by::<Tenant>().catch_up(&mut tenant)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lent_by<P: DerefMut<Target = C>>(self) -> Projection<P> {
        self.with_handler(Handler::lent_by)
    }
}

/// Connections with which a [`Runner`](super::Runner) can run projections whose handlers take an `H`: every
/// connection runs those that are written for it, and r2d2's `PooledConnection` those for the connection of
/// diesel's that it holds.
///
/// For other wrappers, [`Projection::lent_by`] makes the projection fit.
#[diagnostic::on_unimplemented(
    message = "a runner with connections of the type `{Self}` cannot run a projection whose handler takes `{H}`",
    note = "write the handler for the runner's connections, or call `Projection::lent_by` if they lend an `{H}`"
)]
pub trait Runs<H>: Sized {
    /// The projection, for connections of this type.
    #[doc(hidden)]
    fn fit(projection: Projection<H>) -> Projection<Self>;
}

impl<C: EventConnection> Runs<C> for C {
    fn fit(projection: Projection<C>) -> Projection<C> {
        projection
    }
}

/// One per connection: for all of them at once, a pool might hold connections of its own type, and be covered
/// twice.
#[cfg(all(feature = "r2d2", feature = "_blocking"))]
macro_rules! runs_from_a_pool {
    ($($connection:ty, $feature:literal;)+) => {
        $(
            #[cfg(feature = $feature)]
            impl<M: ManageConnection<Connection = $connection>> Runs<$connection> for PooledConnection<M> {
                fn fit(projection: Projection<$connection>) -> Projection<Self> {
                    projection.lent_by()
                }
            }
        )+
    };
}

#[cfg(all(feature = "r2d2", feature = "_blocking"))]
runs_from_a_pool! {
    diesel::SqliteConnection, "sqlite";
    diesel::PgConnection, "postgres";
    diesel::MysqlConnection, "mysql";
}
