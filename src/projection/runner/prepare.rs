use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::connections;
use super::context::Context;
use super::crew::Crew;
use super::failures::Failures;
use super::health::Health;
use super::options::Options;
use super::predecessor;
use super::signals::Signals;
use crate::projection::error::ProjectionError;
use crate::projection::link::Link;
use crate::projection::partitions::find_or_create;

/// Everything that can be found out before the work begins.
pub(in crate::projection) async fn prepare<W: Crew>(
    options: Options<W>,
) -> Result<Arc<Context<W>>, ProjectionError> {
    options.validate()?;
    let context = Context {
        worker: format!("{} {}", options.name(), Uuid::now_v7()),
        options,
        signals: Signals::default(),
        failures: Failures::default(),
        health: Health::default(),
    };
    prepare_partitions(&context).await?;
    Ok(Arc::new(context))
}

async fn prepare_partitions<W: Crew>(context: &Context<W>) -> Result<(), ProjectionError> {
    let mut conn = context.connect().await?;
    let mut partitions = Vec::new();
    for projection in &context.options.projections {
        let since = Instant::now();
        let found = find_or_create(&mut conn.database(), projection).await?;
        context.see(projection, &found, since);
        if let Some(name) = &context.options.name {
            predecessor::replace(&mut conn.database(), projection.id(), &found, name).await?;
        }
        partitions.push((projection, found));
    }
    connections::check(context, &mut conn, &partitions).await
}
