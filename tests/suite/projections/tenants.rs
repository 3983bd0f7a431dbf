//! Aggregates of two tenants never meet in a projection.

use diesel_event_store::projection::{self, OnFailure, Projection, ProjectionError};
use diesel_event_store::{
    EventConnection, EventFilter, EventStore, ExpectedVersion, Position, RecordedEvent,
};
use test_support::{Result, TestDatabase, counted, execute, user};

use super::super::tenants::alices;
use super::{Fault, NAME, Script, application, applied, set, status};

tests! {
    a_projection_sees_all_tenants_unless_it_filters,
    a_parked_event_holds_back_its_own_tenants_aggregate_only,
    the_partition_of_an_aggregate_depends_on_its_tenant,
    a_tenant_that_cannot_be_kept_is_refused,
}

const STORE: EventStore = EventStore::new();

fn name_with_tenant(event: &RecordedEvent) -> String {
    format!("{} {}", event.tenant_id().unwrap_or("none"), event.version())
}

fn projection<C: EventConnection + 'static>() -> Projection<C> {
    Projection::new(NAME, 1, |conn: &mut C, event| {
        execute(conn, &format!("INSERT INTO applied (name) VALUES ('{}')", name_with_tenant(event)))?;
        Ok(())
    })
}

fn a_projection_sees_all_tenants_unless_it_filters<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for alice in alices()? {
        STORE.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
    }
    let last = STORE.last_position(&mut conn)?;
    projection().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["none 1", "none 2", "acme 1", "acme 2", "Acme 1", "Acme 2"]);
    for of_acme in [projection().tenant("acme"), projection().filter(EventFilter::new().tenant("acme"))] {
        execute(&mut conn, "DELETE FROM applied")?;
        projection::reset(&mut conn, (NAME, 1), |_| Ok::<_, ProjectionError>(()))?;
        of_acme.catch_up(&mut conn)?;
        assert_eq!(applied(&mut conn)?, ["acme 1", "acme 2"]);
        assert_eq!(status(&mut conn)?.position(), last, "the checkpoint is past the others");
    }
    Ok(())
}

/// And it alone is let through by a retry.
fn a_parked_event_holds_back_its_own_tenants_aggregate_only<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let parking =
        || script.projection::<D::Conn>().on_failure(OnFailure::Park).retries(0, Default::default());
    let [_, acme, other] = alices()?;
    STORE.append(&mut conn, &acme, ExpectedVersion::NoStream, &counted(1)?)?;
    parking().catch_up(&mut conn)?;
    script.mend();
    STORE.append(&mut conn, &other, ExpectedVersion::NoStream, &counted(2)?)?;
    STORE.append(&mut conn, &acme, ExpectedVersion::Exact(1), &counted(1)?)?;
    parking().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"], "of the other tenant");

    let parked = projection::parked(&mut conn, (NAME, 1))?;
    assert_eq!(parked.len(), 2);
    assert!(parked.iter().all(|event| event.stream() == &acme), "{parked:?}");
    projection::retry_parked(&mut conn, (NAME, 1), parked[0].position())?;
    parking().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?.len(), 4);
    assert!(projection::parked(&mut conn, (NAME, 1))?.is_empty());
    Ok(())
}

/// Which partition an aggregate belongs to must not change with a new version of this crate: so it is written
/// down here.
fn the_partition_of_an_aggregate_depends_on_its_tenant<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let append = |conn: &mut D::Conn, tenant| -> Result<Position> {
        let alice = user("alice")?.in_tenant(tenant)?;
        Ok(STORE.append(conn, &alice, ExpectedVersion::Any, &counted(1)?)?.last_position())
    };
    append(&mut conn, "acme")?;
    projection().partitions(4).catch_up(&mut conn)?;
    for (tenant, partition) in [("globex", 0), ("initech", 1), ("acme", 2), ("Acme", 3)] {
        let last = append(&mut conn, tenant)?;
        let only_this = format!(
            "last_global_position = CASE partition_number WHEN {partition} THEN last_global_position ELSE {last} END"
        );
        set(&mut conn, &only_this)?;
        assert_eq!(projection().catch_up(&mut conn)?.applied(), 1, "{tenant}");
    }
    Ok(())
}

fn a_tenant_that_cannot_be_kept_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for tenant in ["", &"x".repeat(64), "a\nb"] {
        projection::<D::Conn>().tenant(tenant).catch_up(&mut conn).unwrap_err();
    }
    Ok(())
}
