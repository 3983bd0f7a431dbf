use diesel::result::QueryResult;

use crate::model::parked::{ParkedEvent, Request};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::operations::operations;

operations! {
    one by one:
    /// The events that projections have put aside. Every operation is one statement. `bool` tells whether the
    /// row was there.
    pub(crate) trait Parked {
        fn park(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<()>;

        /// The parked events, in the order of their positions.
        fn parked(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>>;

        /// The first of those above a position, in the order of their positions.
        fn parked_after(
            &mut self,
            projection: &ProjectionId,
            position: Position,
            limit: i64,
        ) -> QueryResult<Vec<ParkedEvent>>;

        /// Those of the streams of which a retry or a discard of any event is requested, in the order of
        /// their positions.
        fn parked_beside_requests(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>>;

        fn count_parked(&mut self, projection: &ProjectionId) -> QueryResult<i64>;

        fn request(
            &mut self,
            projection: &ProjectionId,
            position: Position,
            request: Request,
        ) -> QueryResult<bool>;

        /// Records one more attempt that has failed, and answers a request for it.
        fn repark(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<bool>;

        fn unpark(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<bool>;

        /// Those above a position.
        fn unpark_after(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<usize>;

        fn unpark_all(&mut self, projection: &ProjectionId) -> QueryResult<usize>;
    }
}
