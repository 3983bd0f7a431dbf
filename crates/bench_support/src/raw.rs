//! SQLite's own functions, called as a careful program calls them: every return code is checked, texts are
//! bound without a copy. All the unsafe code of these benches is here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int};
use std::fmt;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use libsqlite3_sys as ffi;

/// An open database file.
pub struct Database(NonNull<ffi::sqlite3>);

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

/// A prepared statement.
pub struct Statement {
    handle: NonNull<ffi::sqlite3_stmt>,
    parameters: usize,
    database: Rc<Database>,
}

/// The row that a statement has just stepped to.
pub struct Row<'s>(&'s Statement);

#[derive(Debug)]
pub struct Error {
    code: c_int,
    message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Database {
    pub fn open(path: &str) -> Result<Rc<Self>> {
        let path = CString::new(path).expect("a path without NUL");
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        let mut handle = ptr::null_mut();
        // SAFETY: the path ends in NUL, `handle` is written before it is read, the VFS may be null.
        let code = unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &mut handle, flags, ptr::null()) };
        let database = Self(NonNull::new(handle).expect("memory for a connection"));
        database.check(code)?;
        Ok(Rc::new(database))
    }

    /// Runs statements whose results do not matter.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let sql = CString::new(sql).expect("SQL without NUL");
        // SAFETY: the connection is open, the text ends in NUL, there is no callback.
        let code = unsafe {
            ffi::sqlite3_exec(self.0.as_ptr(), sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
        };
        self.check(code)
    }

    pub fn prepare(self: &Rc<Self>, sql: &str) -> Result<Statement> {
        let length = c_int::try_from(sql.len()).expect("a short statement");
        let mut handle = ptr::null_mut();
        // SAFETY: the connection is open, the length is the text's, `handle` is written before it is read.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.0.as_ptr(),
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &mut handle,
                ptr::null_mut(),
            )
        };
        self.check(code)?;
        let handle = NonNull::new(handle).expect("SQL that is more than a comment");
        // SAFETY: the statement is alive.
        let parameters = unsafe { ffi::sqlite3_bind_parameter_count(handle.as_ptr()) };
        let parameters = usize::try_from(parameters).expect("a count");
        Ok(Statement { handle, parameters, database: Rc::clone(self) })
    }

    pub fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.0.as_ptr()) }
    }

    /// How many rows the last statement has written.
    pub fn changes(&self) -> c_int {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_changes(self.0.as_ptr()) }
    }

    fn check(&self, code: c_int) -> Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.error(code)) }
    }

    fn error(&self, code: c_int) -> Error {
        // SAFETY: the connection is open; the message ends in NUL and is copied before the next call.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0.as_ptr())) };
        Error { code, message: message.to_string_lossy().into_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: every statement holds an `Rc` of this and is finalised by now.
        unsafe { ffi::sqlite3_close(self.0.as_ptr()) };
    }
}

impl Statement {
    /// Binds, steps to the end and resets.
    pub fn run(&mut self, parameters: &[Value<'_>], mut each_row: impl FnMut(&Row<'_>)) -> Result<()> {
        // A missing parameter would still point to the text of an earlier run.
        assert_eq!(parameters.len(), self.parameters, "every parameter is bound");
        let reset = ResetOnDrop(self);
        for (index, &parameter) in (1..).zip(parameters) {
            reset.0.bind(index, parameter)?;
        }
        loop {
            // SAFETY: the statement is alive, and so are the texts bound to it: `parameters` borrows them.
            match unsafe { ffi::sqlite3_step(reset.0.handle.as_ptr()) } {
                ffi::SQLITE_ROW => each_row(&Row(reset.0)),
                ffi::SQLITE_DONE => return Ok(()),
                code => return Err(reset.0.database.error(code)),
            }
        }
    }

    pub fn execute(&mut self, parameters: &[Value<'_>]) -> Result<()> {
        self.run(parameters, |_| {})
    }

    fn bind(&self, index: c_int, value: Value<'_>) -> Result<()> {
        let statement = self.handle.as_ptr();
        // SAFETY: the statement is alive. A text is not copied; it outlives the stepping in `run`, and every
        // `run` binds all of them anew before it steps.
        let code = unsafe {
            match value {
                Value::Null => ffi::sqlite3_bind_null(statement, index),
                Value::Integer(value) => ffi::sqlite3_bind_int64(statement, index, value),
                Value::Text(text) => {
                    let length = c_int::try_from(text.len()).expect("a short text");
                    ffi::sqlite3_bind_text(
                        statement,
                        index,
                        text.as_ptr().cast(),
                        length,
                        ffi::SQLITE_STATIC(),
                    )
                }
            }
        };
        self.database.check(code)
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is alive until here, and its connection is still open.
        unsafe { ffi::sqlite3_finalize(self.handle.as_ptr()) };
    }
}

/// However a run ends, the statement must be reset for the next one.
struct ResetOnDrop<'s>(&'s Statement);

impl Drop for ResetOnDrop<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is alive. The code repeats the error of the last step.
        unsafe { ffi::sqlite3_reset(self.0.handle.as_ptr()) };
    }
}

impl Row<'_> {
    pub fn integer(&self, column: c_int) -> i64 {
        // SAFETY: the statement stands on a row; an index out of range gives 0.
        unsafe { ffi::sqlite3_column_int64(self.0.handle.as_ptr(), column) }
    }

    pub fn text(&self, column: c_int) -> &str {
        self.optional_text(column).expect("a column that is NOT NULL")
    }

    pub fn optional_text(&self, column: c_int) -> Option<&str> {
        let statement = self.0.handle.as_ptr();
        // SAFETY: the statement stands on a row. The text stays where it is until the next step, before which
        // this borrow ends; its length is asked after the text, as SQLite's manual says.
        let bytes = unsafe {
            let text = ffi::sqlite3_column_text(statement, column);
            if text.is_null() {
                return None;
            }
            let length = ffi::sqlite3_column_bytes(statement, column);
            std::slice::from_raw_parts(text, usize::try_from(length).expect("a length"))
        };
        Some(std::str::from_utf8(bytes).expect("UTF-8"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for Error {}
