//! What an operation is given, on its way to another thread.

use std::borrow::Borrow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::parked::Request;
use crate::model::position::Position;
use crate::model::stream::StreamPart;

pub(crate) trait Carry {
    type Carried: Carried + Send + 'static;

    fn carry(self) -> Self::Carried;
}

pub(crate) trait Carried {
    type Lent<'a>
    where
        Self: 'a;

    fn lend(&self) -> Self::Lent<'_>;
}

/// What was borrowed is cloned.
pub(crate) struct Cloned<T: ToOwned + ?Sized>(T::Owned);

impl<T> Carry for &T
where
    T: ToOwned<Owned: Send> + ?Sized + 'static,
{
    type Carried = Cloned<T>;

    fn carry(self) -> Cloned<T> {
        Cloned(self.to_owned())
    }
}

impl<T: ToOwned + ?Sized> Carried for Cloned<T> {
    type Lent<'a>
        = &'a T
    where
        Self: 'a;

    fn lend(&self) -> &T {
        self.0.borrow()
    }
}

pub(crate) struct Value<T>(T);

impl<T: Copy> Carried for Value<T> {
    type Lent<'a>
        = T
    where
        Self: 'a;

    fn lend(&self) -> T {
        self.0
    }
}

macro_rules! values {
    ($($value:ty),+ $(,)?) => {
        $(
            impl Carry for $value {
                type Carried = Value<Self>;

                fn carry(self) -> Value<Self> {
                    Value(self)
                }
            }
        )+
    };
}

values!(DateTime<Utc>, Duration, Position, Request, StreamPart, Uuid, i32, i64);
