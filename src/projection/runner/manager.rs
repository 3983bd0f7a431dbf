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

/// How often it is looked whether a partition is free, by one statement per projection: it is taken over
/// within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Until it is told to stop.
pub(super) fn manage<C: EventConnection + 'static>(context: &Arc<Context<C>>, signals: &Receiver<Signal>) {
    let mut all: Vec<PartitionThreads<C>> =
        (0..context.options.projections.len()).map(|index| PartitionThreads::new(context, index)).collect();
    let tick = context.options.projections.iter().map(|projection| projection.lease / 3).min();
    let tick = tick.expect("there is a projection").max(Duration::from_millis(10));
    let mut conn = None;
    let mut next_tick = Instant::now();
    loop {
        let is_due = Instant::now() >= next_tick;
        if is_due {
            next_tick = Instant::now() + tick;
            all.iter_mut().for_each(PartitionThreads::forget_failures);
        }
        let adjusted = adjust(context, &mut all, &mut conn, is_due);
        context.health.is_blind(adjusted.is_err());
        let pause = match adjusted {
            Ok(()) => tick.min(LOOK_EVERY),
            Err(error) => {
                context.has_failed(error);
                conn = None;
                tick
            }
        };
        if wait(signals, pause, &mut conn) == Next::Stop {
            break;
        }
    }
    if let Some((conn, _)) = &mut conn {
        // First, so that others take over each partition as soon as it is given back. If this fails, they
        // forget this worker when it has not been seen for long.
        all.iter().for_each(|threads| drop(threads.leave(conn)));
    }
    all.iter().for_each(PartitionThreads::ask_to_stop);
    wake_up::all();
    all.iter_mut().for_each(PartitionThreads::join);
}

/// A connection, and how news from other processes come by it.
type Listening<C> = Option<(C, Listener)>;

fn adjust<C: EventConnection + 'static>(
    context: &Context<C>,
    all: &mut [PartitionThreads<C>],
    conn: &mut Listening<C>,
    is_due: bool,
) -> Result<(), ProjectionError> {
    let (conn, _) = match conn {
        Some(listening) => listening,
        None => conn.insert(listen(context.connect()?)?),
    };
    for threads in all {
        if is_due || threads.is_to_be_adjusted(conn)? {
            threads.adjust(conn)?;
        }
    }
    Ok(())
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
