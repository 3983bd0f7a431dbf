use std::ops::RangeInclusive;

/// Versions in the middle of a stream whose events are not in the log any more: they were erased.
pub(crate) type Hole = RangeInclusive<i64>;

/// What is missing between the versions that a stream has, which are in their order.
pub(crate) fn holes(versions: &[i64]) -> Vec<Hole> {
    let pairs = versions.windows(2).map(|pair| pair[0] + 1..=pair[1] - 1);
    pairs.filter(|hole| !hole.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::holes;

    #[test]
    fn what_is_missing_lies_between_two_versions() {
        assert_eq!(holes(&[]), []);
        assert_eq!(holes(&[4, 5, 6]), []);
        assert_eq!(holes(&[1, 3, 4, 8]), [2..=2, 5..=7]);
    }
}
