use crate::model::log::LogSlice;

/// How many events a reader of the log asks for at once. A server's client library holds a whole result
/// before the first event can be looked at, so the number is small at first, and grows with what is known of
/// the events' sizes.
pub(crate) struct PageSize {
    next: usize,
    largest: usize,
}

impl PageSize {
    const FIRST: usize = 64;
    const GROWTH: usize = 4;

    pub(crate) fn up_to(largest: usize) -> Self {
        Self { next: largest.min(Self::FIRST), largest }
    }

    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    pub(crate) fn next(&self) -> usize {
        self.next
    }

    /// The next page is as large as events of this size allow.
    pub(crate) fn learn(&mut self, slice: &LogSlice, max_bytes: usize) {
        let grown = self.next.saturating_mul(Self::GROWTH).min(self.largest);
        let average = slice.bytes().checked_div(slice.len()).unwrap_or(0);
        let fitting = max_bytes.checked_div(average).unwrap_or(grown);
        self.next = fitting.min(grown).max(1);
    }
}
