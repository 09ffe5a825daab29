//! Where storages lie: at a local reference first, at the linked NetBox cluster then, and back.
use super::{Scene, clusters, count, everything, notes, references, storage, storages, write};
use crate::support::{TestDb, both};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{cluster, netbox_cluster, storage as storage_row};
use proxbox_graphql::service::batch::Operation;
use proxbox_graphql::service::source::FIRST_LOCAL;
use proxbox_graphql::service::{cluster as service_cluster, netbox, storage as service_storage};
use std::collections::BTreeMap;

async fn netbox_cluster(app: &App, id: i64) {
    let patch = netbox::Patch { id: Some(Some(id)), name: Some(Some(format!("netbox {id}"))), ..Default::default() };
    write::<netbox_cluster::Model>(app, Operation::Create(patch)).await;
}

async fn link(app: &App, target: Option<i32>) {
    let id = clusters(app).await[0].id;
    let patch = service_cluster::Patch { netbox_cluster: Some(target), ..Default::default() };
    write::<cluster::Model>(app, Operation::Update { id, if_last_updated: None, patch }).await;
}

/// The ids of the storages by name, and where they lie.
async fn places(app: &App) -> BTreeMap<String, (i32, i32)> {
    storages(app).await.into_iter().map(|row| (row.name, (row.id, row.cluster_id))).collect()
}

async fn storages_follow_the_link(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let before = places(&scene.app).await;
    assert!(before.values().all(|(_, place)| *place == FIRST_LOCAL));
    netbox_cluster(&scene.app, 5).await;
    netbox_cluster(&scene.app, 6).await;
    let at = |place: i32| before.iter().map(|(name, (id, _))| (name.clone(), (*id, place))).collect::<BTreeMap<_, _>>();
    for (target, place) in [(Some(5), 5), (Some(6), 6), (None, FIRST_LOCAL), (Some(5), 5)] {
        link(&scene.app, target).await;
        assert_eq!(places(&scene.app).await, at(place), "ids kept");
        let everywhere = everything(&scene.app).await;
        let run = scene.sync().await;
        assert_eq!((run.revision, everything(&scene.app).await), (None, everywhere), "sync agrees: {run:#?}");
    }
    assert_eq!(clusters(&scene.app).await[0].netbox_cluster_id, Some(5), "which sync never writes");
    assert_eq!(references(&scene.app).await.len(), 3, "one local reference, whatever happened");
}

async fn taken_names_stay_local_and_are_told(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    netbox_cluster(&scene.app, 5).await;
    let by_hand = service_storage::Patch {
        cluster: Some(Some(5)),
        name: Some(Some("local".into())),
        path: Some(Some("/by/hand".into())),
        ..Default::default()
    };
    let by_hand = write::<storage_row::Model>(&scene.app, Operation::Create(by_hand)).await;
    link(&scene.app, Some(5)).await;
    let lies = |rows: &[storage_row::Model]| {
        rows.iter()
            .filter(|row| row.source_id.is_some() && row.cluster_id == FIRST_LOCAL)
            .map(|row| row.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lies(&storages(&scene.app).await), ["local"]);
    let run = scene.sync().await;
    assert!(notes(&run, "local (NetBox cluster 5)"), "{run:#?}");
    assert_eq!(lies(&storages(&scene.app).await), ["local"]);
    let kept = storages(&scene.app).await.into_iter().find(|row| row.id == by_hand).unwrap();
    assert_eq!((kept.path.as_deref(), kept.source_id), (Some("/by/hand"), None), "only its source updates a storage");
    // The name is free again.
    write::<storage_row::Model>(&scene.app, Operation::Delete { id: by_hand, if_last_updated: None }).await;
    let run = scene.sync().await;
    assert_eq!(count(&run, "moved"), 1, "{run:#?}");
    assert_eq!(storage(&scene.app, "local").await.cluster_id, 5);
}

async fn a_linked_cluster_needs_no_local_reference(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    netbox_cluster(&scene.app, 5).await;
    let by_hand = service_cluster::Patch {
        endpoint: Some(Some(scene.endpoint)),
        netbox_cluster: Some(Some(5)),
        name: Some(Some("prod".into())),
        mode: Some(Some(proxbox_graphql::entity::Mode::Undefined)),
        ..Default::default()
    };
    let id = write::<cluster::Model>(&scene.app, Operation::Create(by_hand)).await;
    scene.sync().await;
    assert_eq!(clusters(&scene.app).await.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
    assert_eq!(references(&scene.app).await.len(), 1);
    assert!(storages(&scene.app).await.iter().all(|row| row.cluster_id == 5 && row.source_id == Some(id)));
}

async fn what_is_known_through_a_cluster_only_goes_with_it(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let id = clusters(&scene.app).await[0].id;
    write::<cluster::Model>(&scene.app, Operation::Delete { id, if_last_updated: None }).await;
    assert!(storages(&scene.app).await.is_empty() && references(&scene.app).await.is_empty());
    scene.sync().await;
    assert_eq!((storages(&scene.app).await.len(), references(&scene.app).await.len()), (14, 1), "and comes again");
    super::write_endpoint(&scene.app, Operation::Delete { id: scene.endpoint, if_last_updated: None }).await;
    assert!(storages(&scene.app).await.is_empty() && references(&scene.app).await.is_empty());
}

both!(
    storages_follow_the_link,
    taken_names_stay_local_and_are_told,
    a_linked_cluster_needs_no_local_reference,
    what_is_known_through_a_cluster_only_goes_with_it,
);
