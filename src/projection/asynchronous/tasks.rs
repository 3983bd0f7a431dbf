use std::marker::PhantomData;
use std::panic;
use std::pin::Pin;
use std::sync::Arc;

use diesel::result::QueryResult;
use tokio::task::JoinHandle;

use super::link::Awaited;
use super::unwind::caught;
use crate::projection::error::ProjectionError;
use crate::projection::kind::Awaits;
use crate::projection::panicked::Panicked;
use crate::projection::runner::context::Context;
use crate::projection::runner::crew::{BoxError, Crew, try_out};
use crate::projection::runner::partition_crew::{Job, Recruits};
use crate::projection::runner::read_ahead::{Next, ReadAhead, ReadsAhead};
use crate::storage::asynchronous::connection::AsyncEventConnection;

pub(super) type Connect<C> = Box<dyn Fn() -> Connecting<C> + Send + Sync>;
type Connecting<C> = Pin<Box<dyn Future<Output = Result<C, BoxError>> + Send>>;

/// A crew of tokio's tasks, on connections that are awaited.
pub(super) struct Tasks<C>(PhantomData<C>);

impl<C: AsyncEventConnection + 'static> Crew for Tasks<C> {
    type Conn = C;
    type Kind = Awaits;
    type Link = Awaited<C>;
    type Connect = Connect<C>;
    /// Only connections that block can be listened on.
    type Listener = ();

    async fn connect(connect: &Connect<C>) -> Result<Awaited<C>, BoxError> {
        let connected = caught(async { connect().await.inspect_err(try_out) }).await;
        let connected = connected
            .unwrap_or_else(|panic| Err(Box::new(Panicked::with("the function that connects", &*panic))));
        connected.map(Awaited::new)
    }

    fn listen(_: &mut Awaited<C>) -> QueryResult<()> {
        Ok(())
    }

    fn has_news(_: &mut Awaited<C>, (): &mut ()) -> bool {
        false
    }
}

impl<C: AsyncEventConnection + 'static> ReadsAhead for Tasks<C> {
    /// Each task reads for itself.
    fn read_ahead(_: &ReadAhead, _: &Arc<Context<Self>>, _: Next) {}
}

impl<C: AsyncEventConnection + 'static> Recruits for Tasks<C> {
    type Member = JoinHandle<()>;
    /// The runtime has threads for them.
    type Room = ();

    fn recruit((): &mut (), job: Job<Self>, _: bool) -> Result<JoinHandle<()>, ProjectionError> {
        Ok(tokio::spawn(job.run()))
    }

    fn is_gone(member: &JoinHandle<()>) -> bool {
        member.is_finished()
    }

    async fn join(member: JoinHandle<()>) {
        if let Err(error) = member.await {
            // A task is never aborted, unless its runtime is shut down, and then nothing runs here, either.
            if let Ok(panic) = error.try_into_panic() {
                panic::resume_unwind(panic);
            }
        }
    }
}
