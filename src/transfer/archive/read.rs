use std::io::{self, BufRead};

use super::bound::refuse_closed;
use super::error::ArchiveError;
use super::whole::Whole;
use crate::model::event::RecordedEvent;
use crate::storage::connection::EventConnection;
use crate::transfer::file::LogFile;
use crate::transfer::header::Content;

/// A file of which everything is known to be from this log.
pub(super) fn of_this_log<C, R>(
    conn: &mut C,
    open: &mut impl FnMut() -> io::Result<R>,
) -> Result<Whole, ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let expected = refuse_closed(conn)?.log_id;
    let whole = Whole::read(opened(open)?)?;
    match whole.header.log_id {
        found if found == expected => Ok(whole),
        found => Err(ArchiveError::OtherLog { expected, found }),
    }
}

pub(super) fn opened<R>(open: &mut impl FnMut() -> io::Result<R>) -> Result<R, ArchiveError> {
    open().map_err(|error| ArchiveError::File(error.into()))
}

/// With the number of its line.
pub(super) fn each_event<R: BufRead>(
    input: R,
    work: impl FnMut(u64, &RecordedEvent) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    LogFile::open(input, Content::Archive)?.each_event(work).map(drop)
}
