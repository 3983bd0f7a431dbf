use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::result::QueryResult;

use super::context::Context;
use super::crew::{BoxError, Crew, try_out};
use super::partition_crew::{Job, Recruits};
use super::read_ahead::{Next, ReadAhead, ReadsAhead};
use super::shared_thread::{Ending, SharedThread};
use super::spawn::spawn;
use crate::projection::error::ProjectionError;
use crate::projection::kind::Blocks;
use crate::projection::panicked::Panicked;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::news::Listener;
use crate::storage::now::now;

pub(super) type Connect<C> = Box<dyn Fn() -> Result<C, BoxError> + Send + Sync>;

/// A crew of threads, on connections that block.
pub(super) struct Threads<C>(PhantomData<C>);

impl<C: EventConnection + 'static> Crew for Threads<C> {
    type Conn = C;
    type Kind = Blocks;
    type Link = C;
    type Connect = Connect<C>;
    type Listener = Listener;

    const LISTEN_EVERY: Duration = Duration::from_millis(5);

    async fn connect(connect: &Connect<C>) -> Result<C, BoxError> {
        catch_unwind(AssertUnwindSafe(|| connect().inspect_err(try_out)))
            .unwrap_or_else(|panic| Err(Box::new(Panicked::with("the function that connects", &*panic))))
    }

    fn listen(conn: &mut C) -> QueryResult<Listener> {
        HasDatabase::database(conn).listen()
    }

    fn has_news(conn: &mut C, listener: &mut Listener) -> bool {
        HasDatabase::database(conn).has_news(listener)
    }
}

impl<C: EventConnection + 'static> ReadsAhead for Threads<C> {
    fn read_ahead(log: &ReadAhead, context: &Arc<Context<Self>>, next: Next) {
        log.request(context, next);
    }
}

impl<C: EventConnection + 'static> Recruits for Threads<C> {
    type Member = Member;
    type Room = Option<SharedThread>;

    fn recruit(
        room: &mut Option<SharedThread>,
        job: Job<Self>,
        has_own_thread: bool,
    ) -> Result<Member, ProjectionError> {
        let name = &job.projection().id().name;
        if has_own_thread {
            let name = format!("{name} {}", job.partition());
            return spawn(&name, move || now(job.run())).map(Member::Alone);
        }
        let thread = match room {
            Some(thread) => thread,
            None => room.insert(SharedThread::start(name)?),
        };
        Ok(Member::Sharing(thread.add(move || job.run())))
    }

    fn is_gone(member: &Member) -> bool {
        match member {
            Member::Alone(thread) => thread.is_finished(),
            Member::Sharing(end) => end.has_come(),
        }
    }

    async fn join(member: Member) {
        match member {
            Member::Alone(thread) => {
                if let Err(panic) = thread.join() {
                    panic::resume_unwind(panic);
                }
            }
            Member::Sharing(end) => end.wait(),
        }
    }
}

/// Who applies a partition.
pub(super) enum Member {
    /// On a thread of its own.
    Alone(JoinHandle<()>),
    /// On the thread of all.
    Sharing(Arc<Ending>),
}
