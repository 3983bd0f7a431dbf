//! What a connection can do on which projections are applied. What is done with it is written once, as
//! `async fn`: connections that block never wait, and [`now`](crate::storage::now::now) runs it to its end.

use std::time::{Duration, Instant};

use super::definition::Projection;
use super::handler::HandlerError;
use super::kind::{Blocks, Kind};
use crate::model::event::RecordedEvent;
use crate::storage::bell::Bell;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::give_up::GiveUp;
use crate::storage::lent::Blocking;
use crate::storage::parked::Parked;
use crate::storage::partitions::Partitions;
use crate::storage::places::Places;
use crate::storage::read::Read;
use crate::storage::rewrites::Rewrites;
use crate::storage::sharing;
use crate::storage::transactions::Transactions;
use crate::storage::workers::Workers;
use crate::store::wake_up;

/// What projections need of a database.
pub(super) trait Database:
    Partitions + Parked + Places + Read + Rewrites + Transactions + Workers + GiveUp
{
}

impl<D: Partitions + Parked + Places + Read + Rewrites + Transactions + Workers + GiveUp> Database for D {}

/// What the connections of a kind of projections lend. If [`Link`] said it itself, of a type that is bound to
/// live as long as the link, the compiler could not show that the futures are `Send`.
pub(super) trait Lends: Kind {
    type Database<'d>: Database;
}

impl Lends for Blocks {
    type Database<'d> = Blocking<'d>;
}

pub(super) trait Link: Sized {
    /// What the application is lent.
    type Conn;
    type Kind: Lends;

    fn database(&mut self) -> <Self::Kind as Lends>::Database<'_>;

    fn conn(&mut self) -> &mut Self::Conn;

    /// Ends the transactions above this depth, whose end has not come: the application has panicked, or the
    /// future was dropped.
    fn abandon(&mut self, depth: u32);

    fn handle(
        &mut self,
        handler: &<Self::Kind as Kind>::Handler<Self::Conn>,
        events: &[RecordedEvent],
    ) -> impl Future<Output = Result<(), HandlerError>>;

    /// Waits until the bell has rung more often than `seen`, but no longer than `longest`. Whether it has.
    fn wait(bell: &Bell, seen: u64, longest: Duration) -> impl Future<Output = bool>;
}

/// The projections that can be applied on such connections.
pub(super) type ProjectionOf<L> = Projection<<L as Link>::Conn, <L as Link>::Kind>;

impl<C: EventConnection> Link for C {
    type Conn = C;
    type Kind = Blocks;

    fn database(&mut self) -> Blocking<'_> {
        HasDatabase::database(self)
    }

    fn conn(&mut self) -> &mut C {
        self
    }

    fn abandon(&mut self, depth: u32) {
        HasDatabase::database(self).roll_back_to(depth);
    }

    async fn handle(
        &mut self,
        handler: &<Blocks as Kind>::Handler<C>,
        events: &[RecordedEvent],
    ) -> Result<(), HandlerError> {
        // It may block the thread, and run futures of its own.
        sharing::alone(|| handler.handle(self, events))
    }

    async fn wait(bell: &Bell, seen: u64, longest: Duration) -> bool {
        bell.wait(seen, longest).await
    }
}

/// Whether the caller has asked to stop. What makes it so also sends a wake-up.
pub(super) type IsAsked<'a> = dyn Fn() -> bool + Sync + 'a;

/// Waits for this long, and returns `false` as soon as it is time to stop.
pub(super) async fn pause<L: Link>(longest: Duration, is_asked: &IsAsked<'_>) -> bool {
    let end = Instant::now() + longest;
    loop {
        let seen = wake_up::count();
        if is_asked() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        L::wait(wake_up::bell(), seen, left).await;
    }
}
