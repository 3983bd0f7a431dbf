use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSqlRow};
use diesel::row::Row;

/// What is made of rows.
pub(crate) trait Rows<DB: Backend>: Send {
    type Output: Send;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()>;

    /// Whether further rows are of no interest.
    fn is_enough(&self) -> bool {
        false
    }

    fn finish(self) -> Self::Output;
}

/// All rows, of the SQL type `ST`.
pub(crate) struct All<ST, T>(Vec<T>, PhantomData<fn() -> ST>);

impl<ST, T> Default for All<ST, T> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<DB: Backend, ST, T: FromSqlRow<ST, DB> + Send> Rows<DB> for All<ST, T> {
    type Output = Vec<T>;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        self.0.push(T::build_from_row(row)?);
        Ok(())
    }

    fn finish(self) -> Vec<T> {
        self.0
    }
}

/// The first row, of the SQL type `ST`.
pub(crate) struct First<ST, T>(Option<T>, PhantomData<fn() -> ST>);

impl<ST, T> Default for First<ST, T> {
    fn default() -> Self {
        Self(None, PhantomData)
    }
}

impl<DB: Backend, ST, T: FromSqlRow<ST, DB> + Send> Rows<DB> for First<ST, T> {
    type Output = Option<T>;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        self.0 = Some(T::build_from_row(row)?);
        Ok(())
    }

    fn is_enough(&self) -> bool {
        self.0.is_some()
    }

    fn finish(self) -> Option<T> {
        self.0
    }
}

/// A type of this crate's own, made of the columns of a row.
pub(crate) trait FromRow<DB: Backend>: Sized + Send {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self>;
}

/// All rows, as a type of this crate's own.
pub(crate) struct Stored<T>(Vec<T>);

impl<T> Default for Stored<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<DB: Backend, T: FromRow<DB>> Rows<DB> for Stored<T> {
    type Output = Vec<T>;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        self.0.push(T::from_row(row)?);
        Ok(())
    }

    fn finish(self) -> Vec<T> {
        self.0
    }
}
