//! A log in a file, and from it in another store.

macro_rules! tests_of_pairs {
    ($($name:ident),+ $(,)?) => {
        pub fn tests<S: TestDatabase, T: TestDatabase>() -> Tests {
            vec![$((stringify!($name), $name::<S, T> as fn() -> Result)),+]
        }
    };
}

#[cfg(feature = "derive")]
pub mod archived_aggregates;
pub mod archiving;
mod content;
pub mod copy_again;
pub mod copy_control;
pub mod copying;
pub mod discarding;
pub mod edited;
pub mod files;
pub mod goes_on;
pub mod into_events;
pub mod new_events;
pub mod reclaiming;
pub mod round_trip;

use std::io;

use diesel_event_store::transfer::{ImportError, Imported, export, import};
use diesel_event_store::{ConnectionRef, EventConnection};
use test_support::{Result, TestDatabase, execute};

pub use content::{content, fill, request};

pub fn exported<C: EventConnection + ?Sized>(conn: &mut C) -> Result<String> {
    let mut file = Vec::new();
    export(conn, &mut file)?;
    Ok(String::from_utf8(file)?)
}

pub fn imported<C>(conn: &mut C, file: impl AsRef<[u8]>) -> Result<Imported, ImportError>
where
    C: EventConnection + ?Sized,
{
    import(conn, || Ok(file.as_ref()))
}

/// From now on what is left of archived events can be changed.
pub fn unlock_leaves<C: EventConnection>(conn: &mut C) -> Result {
    let unlock = match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => {
            "ALTER TABLE event_rewrites DISABLE TRIGGER event_rewrites_refuse_change"
        }
        _ => "DROP TRIGGER event_rewrites_refuse_update",
    };
    Ok(execute(conn, unlock)?)
}

/// A source that breaks off after so many bytes: the second time it is opened, or the first.
pub fn breaks_off<C>(conn: &mut C, file: &str, opening: u32, after: usize) -> Result<Imported, ImportError>
where
    C: EventConnection + ?Sized,
{
    let mut opened = 0;
    import(conn, || {
        opened += 1;
        let readable = if opened == opening { after } else { file.len() };
        Ok(io::BufReader::new(BreaksOff {
            file: &file.as_bytes()[..readable],
            is_whole: readable == file.len(),
        }))
    })
}

struct BreaksOff<'f> {
    file: &'f [u8],
    is_whole: bool,
}

impl io::Read for BreaksOff<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match io::Read::read(&mut self.file, buffer)? {
            0 if !self.is_whole => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

/// A new store, and a connection to it.
pub fn empty<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let conn = db.connect()?;
    Ok((db, conn))
}
