//! Whether the service is fit to be asked: its projections, and how far they are behind.

use diesel_event_store::projection::{ProjectionStatus, async_status};
use serde::Serialize;

use crate::connection::AppConnection;
use crate::error::AppError;

#[derive(Debug, Serialize)]
pub struct Health {
    pub is_healthy: bool,
    pub projections: Vec<Projection>,
}

#[derive(Debug, Serialize)]
pub struct Projection {
    pub name: String,
    pub version: i32,
    pub is_healthy: bool,
    pub positions_behind: i64,
    pub parked: i64,
}

impl From<&ProjectionStatus> for Projection {
    fn from(status: &ProjectionStatus) -> Self {
        Self {
            name: status.projection().name().to_owned(),
            version: status.projection().version(),
            is_healthy: status.is_healthy(),
            positions_behind: status.positions_behind(),
            parked: status.parked(),
        }
    }
}

/// `is_running`: whether this process applies them.
pub async fn look(conn: &mut AppConnection, is_running: bool) -> Result<Health, AppError> {
    let status = async_status(conn).await?;
    let projections: Vec<Projection> = status.iter().map(Projection::from).collect();
    let is_healthy = is_running && projections.iter().all(|projection| projection.is_healthy);
    Ok(Health { is_healthy, projections })
}
