//! Texts of errors, made so that every database can keep them: what has gone wrong must always be written
//! down.

/// More than a person reads, and less than any server refuses as too large.
const MOST_CHARACTERS: usize = 8_000;

/// Without NUL, which PostgreSQL does not keep, and cut where it is too long.
pub(super) fn storable(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c });
    let mut storable: String = characters.by_ref().take(MOST_CHARACTERS).collect();
    if characters.next().is_some() {
        storable.push('…');
    }
    storable
}
