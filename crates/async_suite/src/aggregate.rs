use real::{
    Aggregate, AsyncEventStore, Decide, ExecuteError, Executed, ExpectedVersion, LoadError, Loaded,
    RecordedEvent,
};
use serde::Serialize;

use crate::block_on::block_on;
use crate::connection::EventConnection;

/// Stands for the type of that name.
pub struct AggregateRef<A>(pub(crate) real::AggregateRef<A, AsyncEventStore>);

impl<A> Clone for AggregateRef<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// One method that says how a command is executed.
macro_rules! builder {
    ($($name:ident($argument:ident: $type:ty);)+) => {
        $(
            pub fn $name(self, $argument: $type) -> Self {
                Self(self.0.$name($argument))
            }
        )+
    };
}

impl<A: Aggregate> AggregateRef<A> {
    builder! {
        in_tenant(tenant_id: impl ToString);
        expecting(version: ExpectedVersion);
        attempts(attempts: u32);
        idempotency_key(key: impl ToString);
        correlation_id(correlation_id: impl ToString);
        causation_id(causation_id: impl ToString);
        caused_by(recorded: &RecordedEvent);
        metadata(metadata: &(impl Serialize + ?Sized));
    }

    pub fn load<C: EventConnection>(self, conn: &mut C) -> Result<Loaded<A>, LoadError> {
        block_on(self.0.load(conn.awaited()))
    }

    pub fn execute<Command, C: EventConnection>(
        self,
        conn: &mut C,
        command: &Command,
    ) -> Result<Executed<A>, ExecuteError<<A as Decide<Command>>::Error>>
    where
        A: Decide<Command>,
    {
        block_on(self.0.execute(conn.awaited(), command))
    }

    pub fn update<E, C: EventConnection>(
        self,
        conn: &mut C,
        decide: impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        block_on(self.0.update(conn.awaited(), decide))
    }
}
