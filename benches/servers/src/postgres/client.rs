//! libpq, called as a careful program calls it. All the unsafe code for PostgreSQL is here.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};

use pq_sys as ffi;

use super::parameters::Parameters;

const BINARY: c_int = 1;

/// In bytes, as the client library itself sends at once.
const COPIED_AT_ONCE: usize = 64 << 10;

/// A connection. It panics on an error: a bench cannot handle one.
pub struct Client {
    handle: NonNull<ffi::PGconn>,
    prepared: Cell<u32>,
}

/// A statement that is prepared on the connection that runs it.
pub struct Statement {
    name: CString,
    formats: Vec<c_int>,
}

/// All rows that a statement has returned.
pub struct Rows(NonNull<ffi::PGresult>);

impl Client {
    pub fn connect(url: &str) -> Self {
        let url = CString::new(url).expect("a URL without NUL");
        // SAFETY: the text ends in NUL.
        let handle = unsafe { ffi::PQconnectdb(url.as_ptr()) };
        let client =
            Self { handle: NonNull::new(handle).expect("memory for a connection"), prepared: Cell::new(0) };
        // SAFETY: the connection is alive.
        let status = unsafe { ffi::PQstatus(client.handle.as_ptr()) };
        assert_eq!(status, ffi::ConnStatusType::CONNECTION_OK, "{}", client.error());
        client.execute("SET client_min_messages = error");
        client
    }

    /// Runs statements without parameters. Returns the rows of the last one.
    pub fn execute(&self, sql: &str) -> Rows {
        let sql = CString::new(sql).expect("SQL without NUL");
        // SAFETY: the connection is alive, and the text ends in NUL.
        self.checked(unsafe { ffi::PQexec(self.handle.as_ptr(), sql.as_ptr()) })
    }

    /// Prepares a statement with parameters of these types, one per parameter.
    pub fn prepare(&self, sql: &str, types: &[ffi::Oid]) -> Statement {
        self.prepared.set(self.prepared.get() + 1);
        let name = CString::new(format!("s{}", self.prepared.get())).expect("a name without NUL");
        let sql = CString::new(sql).expect("SQL without NUL");
        let connection = self.handle.as_ptr();
        // SAFETY: the connection is alive, the texts end in NUL, and there are as many types as is said.
        let prepared =
            unsafe { ffi::PQprepare(connection, name.as_ptr(), sql.as_ptr(), length(types), types.as_ptr()) };
        self.checked(prepared);
        // SAFETY: the connection is alive, the name ends in NUL.
        let described = self.checked(unsafe { ffi::PQdescribePrepared(connection, name.as_ptr()) });
        // SAFETY: the result is alive.
        let taken = unsafe { ffi::PQnparams(described.0.as_ptr()) };
        assert_eq!(taken, length(types), "the number of parameters of {}", sql.to_string_lossy());
        Statement { name, formats: vec![BINARY; types.len()] }
    }

    pub fn run(&self, statement: &Statement, parameters: &Parameters) -> Rows {
        let values = parameters.values();
        assert_eq!(values.len(), statement.formats.len(), "every parameter is given");
        let pointers: Vec<*const c_char> =
            values.iter().map(|value| value.map_or(ptr::null(), |bytes| bytes.as_ptr().cast())).collect();
        let lengths: Vec<c_int> = values.iter().map(|value| value.map_or(0, length)).collect();
        // SAFETY: the connection is alive, the name ends in NUL; there are as many pointers, lengths and
        // formats as is said, and what the pointers point to is as long as the lengths say and borrowed from
        // `parameters`.
        self.checked(unsafe {
            ffi::PQexecPrepared(
                self.handle.as_ptr(),
                statement.name.as_ptr(),
                length(&pointers),
                pointers.as_ptr(),
                lengths.as_ptr(),
                statement.formats.as_ptr(),
                BINARY,
            )
        })
    }

    /// Sends the lines of a `COPY … FROM STDIN`.
    pub fn copy(&self, sql: &str, lines: &[u8]) {
        let sql = CString::new(sql).expect("SQL without NUL");
        let connection = self.handle.as_ptr();
        // SAFETY: the connection is alive, and the text ends in NUL.
        let begun = Rows(NonNull::new(unsafe { ffi::PQexec(connection, sql.as_ptr()) }).expect("a result"));
        // SAFETY: the result is alive.
        let status = unsafe { ffi::PQresultStatus(begun.0.as_ptr()) };
        assert_eq!(status, ffi::ExecStatusType::PGRES_COPY_IN, "{}", self.error());
        for part in lines.chunks(COPIED_AT_ONCE) {
            // SAFETY: the connection is alive and takes lines; the part is as long as is said, and is copied.
            let sent = unsafe { ffi::PQputCopyData(connection, part.as_ptr().cast(), length(part)) };
            assert_eq!(sent, 1, "{}", self.error());
        }
        // SAFETY: the connection is alive and takes lines; null says that this is their regular end.
        let ended = unsafe { ffi::PQputCopyEnd(connection, ptr::null()) };
        assert_eq!(ended, 1, "{}", self.error());
        // SAFETY: the connection is alive.
        self.checked(unsafe { ffi::PQgetResult(connection) });
        // SAFETY: the connection is alive. It says that there is no other result.
        let other = unsafe { ffi::PQgetResult(connection) };
        assert!(other.is_null(), "{}", self.error());
    }

    fn checked(&self, result: *mut ffi::PGresult) -> Rows {
        let rows = Rows(NonNull::new(result).unwrap_or_else(|| panic!("{}", self.error())));
        // SAFETY: the result is alive.
        let status = unsafe { ffi::PQresultStatus(rows.0.as_ptr()) };
        let is_success = [ffi::ExecStatusType::PGRES_COMMAND_OK, ffi::ExecStatusType::PGRES_TUPLES_OK];
        assert!(is_success.contains(&status), "{}", self.error());
        rows
    }

    fn error(&self) -> String {
        // SAFETY: the connection is alive; the message ends in NUL and is copied before the next call.
        let message = unsafe { CStr::from_ptr(ffi::PQerrorMessage(self.handle.as_ptr())) };
        message.to_string_lossy().into_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: the connection is alive until here; results do not need it.
        unsafe { ffi::PQfinish(self.handle.as_ptr()) };
    }
}

impl Rows {
    pub fn len(&self) -> c_int {
        // SAFETY: the result is alive.
        unsafe { ffi::PQntuples(self.0.as_ptr()) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a value, `None` for NULL.
    pub fn get(&self, row: c_int, column: c_int) -> Option<&[u8]> {
        let result = self.0.as_ptr();
        // SAFETY: the result is alive.
        let columns = unsafe { ffi::PQnfields(result) };
        assert!((0..self.len()).contains(&row) && (0..columns).contains(&column), "a value that exists");
        // SAFETY: the result is alive and has the row and the column. The bytes stay where they are for as
        // long as it lives, which is as long as it is borrowed.
        unsafe {
            if ffi::PQgetisnull(result, row, column) == 1 {
                return None;
            }
            let bytes = ffi::PQgetvalue(result, row, column).cast();
            let length = ffi::PQgetlength(result, row, column);
            Some(std::slice::from_raw_parts(bytes, usize::try_from(length).expect("a length")))
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // SAFETY: the result is alive until here.
        unsafe { ffi::PQclear(self.0.as_ptr()) };
    }
}

fn length<T>(items: &[T]) -> c_int {
    c_int::try_from(items.len()).expect("a bench sends little")
}
