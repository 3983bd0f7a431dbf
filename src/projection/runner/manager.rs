//! Shares the partitions with other workers: takes this worker's share, and gives back what is more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::context::Context;
use super::crew::Crew;
use super::pace::{LONGEST_RECONNECT_PAUSE, Pace};
use super::partition_crew::{PartitionCrew, Recruits};
use crate::projection::error::ProjectionError;
use crate::store::wake_up;

/// How often it is looked whether a partition is free, by one statement per projection: it is taken over
/// within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Until it is told to stop.
pub(in crate::projection) async fn manage<W: Recruits>(context: Arc<Context<W>>) {
    let mut all: Vec<PartitionCrew<W>> =
        (0..context.options.projections.len()).map(|index| PartitionCrew::new(&context, index)).collect();
    let tick = context.options.projections.iter().map(|projection| projection.lease / 3).min();
    let tick = tick.expect("there is a projection").max(Duration::from_millis(10));
    let mut conn = None;
    let (mut next_tick, mut retry) = (Instant::now(), Pace::new(LONGEST_RECONNECT_PAUSE));
    loop {
        let is_due = Instant::now() >= next_tick;
        if is_due {
            next_tick = Instant::now() + tick;
            all.iter_mut().for_each(PartitionCrew::forget_failures);
        }
        all.iter().for_each(PartitionCrew::watch);
        let is_well = adjust_all(&context, &mut all, &mut conn, is_due).await;
        context.health.set_blind(!is_well);
        let pause = if is_well {
            retry.reset();
            LOOK_EVERY
        } else {
            next_tick = Instant::now();
            retry.next().max(LOOK_EVERY)
        };
        if wait(&context, pause.min(tick), &mut conn).await == Next::Stop {
            break;
        }
    }
    shut_down(&mut all, conn).await;
}

/// Gives back all partitions: the members have heard that they are to stop.
async fn shut_down<W: Recruits>(all: &mut [PartitionCrew<W>], mut conn: Listening<W>) {
    if let Some((conn, _)) = &mut conn {
        // So that others take over what is given back. If this fails, they forget this worker when it has not
        // been seen for long.
        for crew in &*all {
            let _ = crew.leave(conn).await;
        }
    }
    for crew in all {
        if let (true, Some((conn, _))) = (crew.join().await, &mut conn) {
            // If this fails, too, the leases run out.
            let _ = crew.give_back_all(conn).await;
        }
    }
}

/// A connection, and how news from other processes come by it.
type Listening<W> = Option<(<W as Crew>::Link, <W as Crew>::Listener)>;

/// One after the other: what goes wrong with one projection is reported, and holds none of the others up. Whether
/// nothing has gone wrong.
async fn adjust_all<W: Recruits>(
    context: &Context<W>,
    all: &mut [PartitionCrew<W>],
    conn: &mut Listening<W>,
    is_due: bool,
) -> bool {
    let mut is_well = true;
    for crew in all {
        if let Err(error) = adjust(context, crew, conn, is_due).await {
            let is_away = matches!(error, ProjectionError::Connect(_));
            context.record_failure(error);
            // The next one may fare better with a new connection.
            *conn = None;
            is_well = false;
            if is_away {
                break;
            }
        }
    }
    is_well
}

async fn adjust<W: Recruits>(
    context: &Context<W>,
    crew: &mut PartitionCrew<W>,
    conn: &mut Listening<W>,
    is_due: bool,
) -> Result<(), ProjectionError> {
    if conn.is_none() {
        let is_asked = || context.signals.is_to_stop();
        let Some(connected) = context.connect_unless(&is_asked).await? else { return Ok(()) };
        *conn = Some(listen::<W>(connected)?);
    }
    let Some((conn, _)) = conn else { return Ok(()) };
    if is_due || crew.is_to_be_adjusted(conn).await? {
        crew.adjust(conn).await?;
    }
    Ok(())
}

fn listen<W: Crew>(mut conn: W::Link) -> Result<(W::Link, W::Listener), ProjectionError> {
    let listener = W::listen(&mut conn)?;
    Ok((conn, listener))
}

#[derive(PartialEq)]
enum Next {
    Adjust,
    Stop,
}

/// Until there is a signal, for so long at most. Passes on news meanwhile.
async fn wait<W: Crew>(context: &Context<W>, tick: Duration, conn: &mut Listening<W>) -> Next {
    let signals = &context.signals;
    let end = Instant::now() + tick;
    loop {
        let seen = signals.count();
        if signals.is_to_stop() {
            return Next::Stop;
        }
        let left = end.saturating_duration_since(Instant::now());
        if signals.take_ended() || left.is_zero() {
            return Next::Adjust;
        }
        let pause = if conn.is_some() { left.min(W::LISTEN_EVERY) } else { left };
        signals.wait::<W::Link>(seen, pause).await;
        if conn.as_mut().is_some_and(|(conn, listener)| W::has_news(conn, listener)) {
            wake_up::all();
        }
    }
}
