//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use diesel_event_store::async_run_pending_migrations;
use diesel_event_store::projection::{AsyncRunner, AsyncRunnerHandle};
use tokio::sync::Mutex;

use crate::connection::{Pool, pool};
use crate::error::AppError;
use crate::{open_orders, stock};

const CONNECTIONS: usize = 16;

pub struct App {
    pub pool: Pool,
    projections: Mutex<Option<AsyncRunnerHandle>>,
}

impl App {
    /// Brings the database up to date, and begins to apply the projection.
    pub async fn open(url: &str) -> Result<Arc<Self>, AppError> {
        let pool = pool(url, CONNECTIONS)?;
        let mut conn = pool.get().await?;
        async_run_pending_migrations(&mut *conn).await?;
        conn.batch_execute(stock::CREATE).await?;
        conn.batch_execute(open_orders::CREATE).await?;
        drop(conn);
        let projections = Mutex::new(Some(run(pool.clone()).await?));
        Ok(Arc::new(Self { pool, projections }))
    }

    /// Whether this process applies its projection.
    pub async fn is_running(&self) -> bool {
        self.projections.lock().await.as_ref().is_some_and(AsyncRunnerHandle::is_healthy)
    }

    /// Ends the projection after its batch, and closes the connections.
    pub async fn close(&self) -> Result<(), AppError> {
        if let Some(projections) = self.projections.lock().await.take() {
            projections.stop().await?;
        }
        self.pool.close();
        Ok(())
    }
}

async fn run(pool: Pool) -> Result<AsyncRunnerHandle, AppError> {
    let connect = move || {
        let pool = pool.clone();
        async move { pool.get().await }
    };
    let runner = AsyncRunner::new(connect)
        .projection(open_orders::projection().lent_by())
        // Other processes of the service append, too.
        .longest_pause(Duration::from_millis(100));
    Ok(runner.start().await?)
}
