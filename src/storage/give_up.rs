use std::ops::{Deref, DerefMut};

/// A connection, or what was lent of one, that can be marked as broken.
pub(crate) trait GiveUp {
    /// What is open on it is not known any more: every transaction, commit and statement of this crate is
    /// refused from now on, and a pool throws it away, which rolls back.
    fn give_up(&mut self);
}

/// Holds a connection from before something is begun on it until that has ended. If the future of an
/// operation is dropped between, the connection is given up: otherwise the application's COMMIT would release
/// the savepoint that was left open, say that all is well, and the rows would go with the connection.
pub(crate) struct Guard<'g, L: GiveUp> {
    lent: &'g mut L,
    has_ended: bool,
}

impl<'g, L: GiveUp> Guard<'g, L> {
    pub(crate) fn new(lent: &'g mut L) -> Self {
        Self { lent, has_ended: false }
    }

    /// Nothing of what was begun is open any more.
    pub(crate) fn disarm(mut self) {
        self.has_ended = true;
    }
}

impl<L: GiveUp> Deref for Guard<'_, L> {
    type Target = L;

    fn deref(&self) -> &L {
        self.lent
    }
}

impl<L: GiveUp> DerefMut for Guard<'_, L> {
    fn deref_mut(&mut self) -> &mut L {
        self.lent
    }
}

impl<L: GiveUp> Drop for Guard<'_, L> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.lent.give_up();
        }
    }
}
