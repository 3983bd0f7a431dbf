use diesel::result::QueryResult;

use crate::model::event::RecordedEvent;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

operations! {
    pub(crate) trait StreamPage {
        /// The first events of a part of a stream, in its direction, at most `limit`. Fewer are all there are:
        /// events that were erased leave gaps in the versions, so these do not tell.
        fn stream_page(
            &mut self,
            stream: &StreamId,
            part: StreamPart,
            limit: i64,
        ) -> QueryResult<Vec<RecordedEvent>>;
    }
}
