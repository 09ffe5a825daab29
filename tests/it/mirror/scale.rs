//! Many devices. Small in a usual run; large with `PROXBOX_TEST_LONG=1`, which prints its figures.
use super::{Scene, read};
use crate::support::{TestDb, both};
use proxbox_graphql::mirror::Wanted;
use std::time::Instant;

async fn many_devices_are_read_page_by_page(db: TestDb) {
    let count = if std::env::var_os("PROXBOX_TEST_LONG").is_some() { 50_000 } else { 2_500 };
    let scene = Scene::new(&db).await;
    for id in 100..100 + count {
        scene.world.device(id, Some(&format!("host{id:05}")), if id % 2 == 0 { "DC1" } else { "DC2" }, 60);
    }
    let begun = Instant::now();
    let report = scene.full().await;
    assert!(report.is_good(), "{:?}", report.error);
    assert_eq!(report.devices.created as i64, count + 6);
    let first = begun.elapsed();
    let revision = scene.revision().await;
    let begun = Instant::now();
    let report = scene.full().await;
    assert_eq!((report.devices.seen as i64, report.devices.changed, scene.revision().await), (count + 6, 0, revision));
    let second = begun.elapsed();
    // A quarter is gone: as many as may go without the operator's word.
    scene.world.state().devices.retain(|id, _| *id < 100 || id % 4 != 0);
    let begun = Instant::now();
    scene.full().await;
    let report = read(&scene.app, Wanted::Full, false).await;
    assert_eq!((report.devices.deleted as i64, report.devices.held), ((count + 3) / 4, 0));
    println!(
        "{:?}: {count} devices: mirrored in {first:.1?}, unchanged in {second:.1?}, a quarter gone in {:.1?}",
        db.backend,
        begun.elapsed()
    );
}

both!(many_devices_are_read_page_by_page);
