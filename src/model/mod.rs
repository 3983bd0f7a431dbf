//! Domain types and pure rules: nothing here knows a connection.

pub(crate) mod append_batch;
pub(crate) mod append_key;
pub(crate) mod appended;
pub(crate) mod batch_appended;
pub(crate) mod chance;
pub(crate) mod checkpoint;
pub(crate) mod decode_error;
pub(crate) mod direction;
pub(crate) mod duplicate;
pub(crate) mod event;
pub(crate) mod expected_version;
pub(crate) mod filter;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod hole;
pub(crate) mod invalid;
pub(crate) mod json;
mod json_hash;
mod json_tokens;
pub(crate) mod json_tree;
pub(crate) mod leaf;
pub(crate) mod log;
pub(crate) mod log_state;
pub(crate) mod log_status;
pub(crate) mod name;
pub(crate) mod ordering;
pub(crate) mod page_size;
pub(crate) mod parked;
pub(crate) mod partition;
pub(crate) mod position;
pub(crate) mod projection_id;
pub(crate) mod repaired;
pub(crate) mod seal;
pub(crate) mod snapshot;
pub(crate) mod stream;
pub(crate) mod stream_id;
pub(crate) mod timestamp;
pub(crate) mod witness;
