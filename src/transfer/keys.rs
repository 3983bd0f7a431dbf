use crate::model::position::Position;
use crate::storage::carry::UsedKey;
use crate::storage::connection::{EventConnection, HasDatabase};

/// Read at a time.
const PAGE: i64 = 1_000;

/// The idempotency keys of what lies up to this position, in their order, a page of them in memory.
pub(super) fn each_key<C, E>(
    conn: &mut C,
    end: Position,
    mut work: impl FnMut(UsedKey) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    E: From<diesel::result::Error>,
{
    let (mut tenant_id, mut key) = (String::new(), String::new());
    loop {
        let page = conn.database().keys_after(&tenant_id, &key, end, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        (tenant_id, key) = (last.tenant_id.clone(), last.key.clone());
        page.into_iter().try_for_each(&mut work)?;
    }
}
