//! Other versions of the plugin, and a NetBox that does not answer as it should.
use super::lists::{Lists, small};
use super::{ALL, compare, dump, import, log, seeded_stand};
use crate::support::{TestDb, both};
use proxbox_graphql::entity::Kind;
use serde_json::json;

async fn the_names_of_later_versions_are_known(db: TestDb) {
    let here = db.open().await;
    let mut lists = small();
    lists[1].0 = "proxmox-clusters";
    lists[2].0 = "proxmox-nodes";
    lists[0].1[0]["enabled"] = json!(false);
    lists[0].1[0]["allow_writes"] = json!(false);
    lists[2].1[0]["location"] = json!(null);
    let stand = Lists::new(&lists).stand().await;
    let read = stand.read().await.unwrap();
    let done = import(&here, &read, false).await;
    assert!(done.is_whole() && done.missing.is_empty(), "{done:#?}");
    assert_eq!((done.of(Kind::Cluster).new, done.of(Kind::Node).new), (2, 3));
    let ignored =
        done.ignored.iter().map(|(kind, fields)| (*kind, fields.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(ignored.collect::<Vec<_>>(), [(Kind::Endpoint, vec!["allow_writes"]), (Kind::Node, vec!["location"])]);
    assert!(dump(&here).await.contains("\"enabled\": false"), "an endpoint that is disabled there stays so");
    assert!(compare(&here, &read, ALL).await.is_alike());
}

async fn a_list_that_is_missing_is_told(db: TestDb) {
    let here = db.open().await;
    let lists = small().into_iter().filter(|(name, _)| *name != "storage").collect::<Vec<_>>();
    let stand = Lists::new(&lists).stand().await;
    let read = stand.read().await.unwrap();
    let done = import(&here, &read, false).await;
    assert_eq!((done.missing.as_slice(), done.of(Kind::Node).new, done.is_whole()), (&[Kind::Storage][..], 3, true));
    let compared = compare(&here, &read, ALL).await;
    assert!(compared.is_alike() && compared.missing == [Kind::Storage], "{compared:#?}");
}

async fn a_netbox_without_the_plugin_is_an_error(_: TestDb) {
    let stand = Lists::default().stand().await;
    let error = stand.read().await.unwrap_err();
    assert!(matches!(error, proxbox_graphql::error::Error::NotFound(_)), "{error}");
}

async fn a_page_that_fails_stores_nothing(db: TestDb) {
    let here = db.open().await;
    let before = (log(&here).await, dump(&here).await);
    for (list, from, status) in
        [("storage", 2, 500), ("nodes", 2, 502), ("clusters", 0, 403), ("endpoints/proxmox", 0, 403)]
    {
        let stand = Lists { broken: Some((list, from, status)), ..Lists::new(&small()) }.stand().await;
        let error = stand.read().await.unwrap_err().to_string();
        assert!(error.contains(list), "{error}");
    }
    let stand = Lists { short: Some("nodes"), ..Lists::new(&small()) }.stand().await;
    assert!(stand.read().await.is_err(), "a list that is not whole");
    assert_eq!((log(&here).await, dump(&here).await), before);
}

async fn a_token_without_rights_is_an_error(db: TestDb) {
    let (_there, stand) = seeded_stand(&db).await;
    // The tokens of the seed: one of nobody, one that sees nodes only, one that does not exist.
    for token in [
        "3333333333333333333333333333333333333333",
        "2222222222222222222222222222222222222222",
        "ffffffffffffffffffffffffffffffffffffffff",
    ] {
        let error = proxbox_graphql::plugin::read(&stand.client_of(token)).await.unwrap_err().to_string();
        assert!(!error.contains(token), "{error}");
    }
}

both!(
    the_names_of_later_versions_are_known,
    a_list_that_is_missing_is_told,
    a_netbox_without_the_plugin_is_an_error,
    a_page_that_fails_stores_nothing,
    a_token_without_rights_is_an_error,
);
