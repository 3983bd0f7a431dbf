//! The thread that shares the partitions with other workers: it takes its share, and gives back what is more.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::context::{Context, Signal};
use super::threads::PartitionThreads;
use crate::projection::error::ProjectionError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::news::Listener;
use crate::store::wake_up;

/// How often it is looked whether another process has news.
const LISTEN_EVERY: Duration = Duration::from_millis(5);

/// Until it is told to stop.
pub(super) fn manage<C: EventConnection + 'static>(context: &Arc<Context<C>>, signals: &Receiver<Signal>) {
    let mut all: Vec<PartitionThreads<C>> =
        (0..context.options.projections.len()).map(|index| PartitionThreads::new(context, index)).collect();
    let tick = context.options.projections.iter().map(|projection| projection.lease / 3).min();
    let tick = tick.expect("there is a projection").max(Duration::from_millis(10));
    let mut conn = None;
    loop {
        let adjusted = adjust(context, &mut all, &mut conn);
        context.health.is_blind(adjusted.is_err());
        if let Err(error) = adjusted {
            context.has_failed(error);
            conn = None;
        }
        if wait(signals, tick, &mut conn) == Next::Stop {
            break;
        }
    }
    all.iter().for_each(PartitionThreads::ask_to_stop);
    wake_up::all();
    all.iter_mut().for_each(PartitionThreads::join);
    if let Some((conn, _)) = &mut conn {
        // If this fails, the other workers forget this one when it has not been seen for long.
        all.iter().for_each(|threads| drop(threads.leave(conn)));
    }
}

/// A connection, and how news from other processes come by it.
type Listening<C> = Option<(C, Listener)>;

fn adjust<C: EventConnection + 'static>(
    context: &Context<C>,
    all: &mut [PartitionThreads<C>],
    conn: &mut Listening<C>,
) -> Result<(), ProjectionError> {
    let (conn, _) = match conn {
        Some(listening) => listening,
        None => conn.insert(listen(context.connect()?)?),
    };
    all.iter_mut().try_for_each(|threads| threads.adjust(conn))
}

fn listen<C: EventConnection>(mut conn: C) -> Result<(C, Listener), ProjectionError> {
    let listener = conn.database().listen()?;
    Ok((conn, listener))
}

#[derive(PartialEq)]
enum Next {
    Adjust,
    Stop,
}

/// Until there is a signal, for so long at most. Passes on news meanwhile.
fn wait<C: EventConnection>(signals: &Receiver<Signal>, tick: Duration, conn: &mut Listening<C>) -> Next {
    let end = Instant::now() + tick;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let pause = if conn.is_some() { left.min(LISTEN_EVERY) } else { left };
        match signals.recv_timeout(pause) {
            Ok(Signal::Ended) => return Next::Adjust,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Next::Adjust,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if conn.as_mut().is_some_and(|(conn, listener)| conn.database().has_news(listener)) {
            wake_up::all();
        }
    }
}
