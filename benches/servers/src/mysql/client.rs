//! The client library of MySQL or MariaDB, called as a careful program calls it. All the unsafe code for them
//! is here.

use std::ffi::{CStr, CString, c_ulong, c_void};
use std::mem::{self, MaybeUninit};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use mysqlclient_sys as ffi;

type FieldType = ffi::enum_field_types;

/// Longer than any text of the benches. A longer text is an error.
const LONGEST_TEXT: usize = 1_024;

/// Several statements in one message.
const CLIENT_MULTI_STATEMENTS: c_ulong = 1 << 16;

/// A connection. It panics on an error: a bench cannot handle one.
pub struct Client(Rc<Connection>);

struct Connection(NonNull<ffi::MYSQL>);

/// A parameter of a statement.
pub enum Value<'a> {
    Null,
    Integer(i32),
    Long(i64),
    Text(&'a str),
    Time(ffi::MYSQL_TIME),
}

/// What is read from a column.
#[derive(Clone, Copy, PartialEq)]
pub enum Column {
    Integer,
    Long,
    Text,
    Time,
}

/// A prepared statement, and room for one row of its result.
pub struct Statement {
    handle: NonNull<ffi::MYSQL_STMT>,
    parameters: usize,
    row: Vec<Field>,
    _connection: Rc<Connection>,
}

/// Room for the value of a column.
struct Field {
    column: Column,
    bytes: Box<[u8]>,
    length: c_ulong,
    is_null: ffi::my_bool,
}

/// The row that was fetched last.
pub struct Row<'s>(&'s [Field]);

impl Client {
    /// To a server at `mysql://user@host:port/database`.
    pub fn connect(url: &str) -> Self {
        let (user, host, port, database) = parts(url).expect("mysql://user@host:port/database");
        let [user, host, database] =
            [user, host, database].map(|part| CString::new(part).expect("a URL without NUL"));
        // SAFETY: null asks for memory; the first connection is made before there are other threads.
        let handle = unsafe { ffi::mysql_init(ptr::null_mut()) };
        let connection = Connection(NonNull::new(handle).expect("memory for a connection"));
        // SAFETY: the handle is alive; the texts end in NUL; the password and the socket may be null.
        let connected = unsafe {
            ffi::mysql_real_connect(
                connection.0.as_ptr(),
                host.as_ptr(),
                user.as_ptr(),
                ptr::null(),
                database.as_ptr(),
                port,
                ptr::null(),
                CLIENT_MULTI_STATEMENTS,
            )
        };
        assert!(!connected.is_null(), "{}", connection.error());
        let client = Self(Rc::new(connection));
        client.execute("SET NAMES utf8mb4, time_zone = '+00:00'");
        client
    }

    /// Runs statements that return no rows, all in one message.
    pub fn execute(&self, sql: &str) {
        let connection = self.0.0.as_ptr();
        let length = c_ulong::try_from(sql.len()).expect("a short statement");
        // SAFETY: the connection is alive, and the text is as long as is said.
        let mut code = unsafe { ffi::mysql_real_query(connection, sql.as_ptr().cast(), length) };
        while code == 0 {
            // SAFETY: the connection is alive. It is -1 after the last of the results, none of which has
            // rows.
            code = unsafe { ffi::mysql_next_result(connection) };
        }
        assert_eq!(code, -1, "{}", self.0.error());
    }

    /// Prepares a statement that returns these columns.
    pub fn prepare(&self, sql: &str, columns: &[Column]) -> Statement {
        let length = c_ulong::try_from(sql.len()).expect("a short statement");
        // SAFETY: the connection is alive.
        let handle = unsafe { ffi::mysql_stmt_init(self.0.0.as_ptr()) };
        let handle = NonNull::new(handle).expect("memory for a statement");
        // SAFETY: the statement is alive, and the text is as long as is said.
        let code = unsafe { ffi::mysql_stmt_prepare(handle.as_ptr(), sql.as_ptr().cast(), length) };
        assert_eq!(code, 0, "{sql}: {}", error(handle));
        // SAFETY: the statement is alive and prepared.
        let (parameters, returned) = unsafe {
            (ffi::mysql_stmt_param_count(handle.as_ptr()), ffi::mysql_stmt_field_count(handle.as_ptr()))
        };
        assert_eq!(usize::try_from(returned), Ok(columns.len()), "the columns of {sql}");
        Statement {
            handle,
            parameters: usize::try_from(parameters).expect("a count"),
            row: columns.iter().map(|&column| Field::new(column)).collect(),
            _connection: Rc::clone(&self.0),
        }
    }
}

impl Connection {
    fn error(&self) -> String {
        // SAFETY: the connection is alive; the message ends in NUL and is copied before the next call.
        let message = unsafe { CStr::from_ptr(ffi::mysql_error(self.0.as_ptr())) };
        message.to_string_lossy().into_owned()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: every statement holds an `Rc` of this and is closed by now.
        unsafe { ffi::mysql_close(self.0.as_ptr()) };
    }
}

impl Statement {
    pub fn execute(&mut self, parameters: &[Value<'_>]) {
        self.run(parameters, |_| {});
    }

    pub fn run(&mut self, parameters: &[Value<'_>], mut each_row: impl FnMut(&Row<'_>)) {
        assert_eq!(parameters.len(), self.parameters, "every parameter is given");
        let statement = self.handle.as_ptr();
        let mut inputs: Vec<ffi::MYSQL_BIND> = parameters.iter().map(Value::bind).collect();
        let mut outputs: Vec<ffi::MYSQL_BIND> = self.row.iter_mut().map(Field::bind).collect();
        // SAFETY: the statement is alive, and there is an input for each of its parameters. They point to
        // what `parameters` borrows, which is only read, and only in `mysql_stmt_execute`.
        let executed = unsafe {
            ffi::mysql_stmt_bind_param(statement, inputs.as_mut_ptr()) == ffi::FALSE
                && ffi::mysql_stmt_execute(statement) == 0
        };
        assert!(executed, "{}", error(self.handle));
        if outputs.is_empty() {
            return;
        }
        // SAFETY: there is an output for each column. They point into `self.row`, which outlives the fetching
        // here; no run fetches before it has bound them anew.
        let stored = unsafe {
            ffi::mysql_stmt_bind_result(statement, outputs.as_mut_ptr()) == ffi::FALSE
                && ffi::mysql_stmt_store_result(statement) == 0
        };
        assert!(stored, "{}", error(self.handle));
        // SAFETY: the outputs are bound, as said above. 0 means a row; one that does not fit gives another
        // number.
        while unsafe { ffi::mysql_stmt_fetch(statement) } == 0 {
            each_row(&Row(&self.row));
        }
        // SAFETY: the statement is alive and has a result.
        unsafe { ffi::mysql_stmt_free_result(statement) };
        assert_eq!(error(self.handle), "");
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is alive until here, and its connection is still open.
        unsafe { ffi::mysql_stmt_close(self.handle.as_ptr()) };
    }
}

fn error(statement: NonNull<ffi::MYSQL_STMT>) -> String {
    // SAFETY: the statement is alive; the message ends in NUL and is copied before the next call.
    let message = unsafe { CStr::from_ptr(ffi::mysql_stmt_error(statement.as_ptr())) };
    message.to_string_lossy().into_owned()
}

/// An empty bind.
fn empty_bind() -> ffi::MYSQL_BIND {
    // SAFETY: a plain C structure of numbers and pointers, which the manual says to fill with zeros first.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

impl Value<'_> {
    pub fn time(time: DateTime<Utc>) -> Self {
        // SAFETY: a plain C structure of numbers.
        let mut value: ffi::MYSQL_TIME = unsafe { MaybeUninit::zeroed().assume_init() };
        value.year = u32::try_from(time.year()).expect("a year of our days");
        (value.month, value.day) = (time.month(), time.day());
        (value.hour, value.minute, value.second) = (time.hour(), time.minute(), time.second());
        value.second_part = c_ulong::from(time.nanosecond() / 1_000);
        value.time_type = ffi::enum_mysql_timestamp_type::MYSQL_TIMESTAMP_DATETIME;
        Self::Time(value)
    }

    /// Points to the value, which must live until the statement is executed.
    fn bind(&self) -> ffi::MYSQL_BIND {
        let mut bind = empty_bind();
        let (kind, pointer): (_, *const c_void) = match self {
            Self::Null => (FieldType::MYSQL_TYPE_NULL, ptr::null()),
            Self::Integer(value) => (FieldType::MYSQL_TYPE_LONG, ptr::from_ref(value).cast()),
            Self::Long(value) => (FieldType::MYSQL_TYPE_LONGLONG, ptr::from_ref(value).cast()),
            Self::Time(value) => (FieldType::MYSQL_TYPE_DATETIME, ptr::from_ref(value).cast()),
            Self::Text(text) => {
                bind.buffer_length = c_ulong::try_from(text.len()).expect("a short text");
                (FieldType::MYSQL_TYPE_STRING, text.as_ptr().cast())
            }
        };
        (bind.buffer_type, bind.buffer) = (kind, pointer.cast_mut());
        bind
    }
}

impl Field {
    fn new(column: Column) -> Self {
        let size = match column {
            Column::Integer => mem::size_of::<i32>(),
            Column::Long => mem::size_of::<i64>(),
            Column::Text => LONGEST_TEXT,
            Column::Time => mem::size_of::<ffi::MYSQL_TIME>(),
        };
        Self { column, bytes: vec![0; size].into(), length: 0, is_null: ffi::FALSE }
    }

    fn bind(&mut self) -> ffi::MYSQL_BIND {
        let mut bind = empty_bind();
        bind.buffer_type = match self.column {
            Column::Integer => FieldType::MYSQL_TYPE_LONG,
            Column::Long => FieldType::MYSQL_TYPE_LONGLONG,
            Column::Text => FieldType::MYSQL_TYPE_STRING,
            Column::Time => FieldType::MYSQL_TYPE_DATETIME,
        };
        bind.buffer = self.bytes.as_mut_ptr().cast();
        bind.buffer_length = c_ulong::try_from(self.bytes.len()).expect("a short buffer");
        (bind.length, bind.is_null) = (&mut self.length, &mut self.is_null);
        bind
    }
}

impl Row<'_> {
    pub fn integer(&self, column: usize) -> i32 {
        i32::from_ne_bytes(self.bytes(column, Column::Integer)[..].try_into().expect("four bytes"))
    }

    pub fn long(&self, column: usize) -> i64 {
        i64::from_ne_bytes(self.bytes(column, Column::Long)[..].try_into().expect("eight bytes"))
    }

    pub fn text(&self, column: usize) -> &str {
        self.optional_text(column).expect("a column that is NOT NULL")
    }

    pub fn optional_text(&self, column: usize) -> Option<&str> {
        if self.0[column].is_null != ffi::FALSE {
            return None;
        }
        let length = usize::try_from(self.0[column].length).expect("a length");
        let bytes = &self.bytes(column, Column::Text)[..length];
        Some(std::str::from_utf8(bytes).expect("UTF-8"))
    }

    pub fn time(&self, column: usize) -> DateTime<Utc> {
        let bytes = self.bytes(column, Column::Time);
        // SAFETY: as many bytes as the structure has, which is made of numbers; they need not be aligned.
        let time: ffi::MYSQL_TIME = unsafe { ptr::read_unaligned(bytes.as_ptr().cast()) };
        let year = i32::try_from(time.year).expect("a year of our days");
        let micros = u32::try_from(time.second_part).expect("less than a second");
        NaiveDate::from_ymd_opt(year, time.month, time.day)
            .and_then(|day| day.and_hms_micro_opt(time.hour, time.minute, time.second, micros))
            .expect("a time of our days")
            .and_utc()
    }

    fn bytes(&self, column: usize, expected: Column) -> &[u8] {
        assert!(self.0[column].column == expected, "a column is read as what it was bound as");
        &self.0[column].bytes
    }
}

fn parts(url: &str) -> Option<(&str, &str, u32, &str)> {
    let (user, rest) = url.strip_prefix("mysql://")?.split_once('@')?;
    let (server, database) = rest.split_once('/')?;
    let (host, port) = server.split_once(':')?;
    Some((user, host, port.parse().ok()?, database))
}
