//! Lists that need several pages.
use super::{asked, client, code, pages, values};
use crate::support::netbox::{CLUSTERS, Listing, answer, page};
use proxbox_graphql::client::netbox::{Cluster, Page, Which};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

async fn serve(server: &MockServer, respond: impl Respond + 'static) {
    Mock::given(path(CLUSTERS)).respond_with(respond).mount(server).await;
}

fn ids(pages: &[Page<Cluster>]) -> Vec<i64> {
    pages.iter().flat_map(|page| page.rows.iter().map(|row| row.id.into())).collect()
}

/// The positions that were asked for.
async fn positions(server: &MockServer) -> Vec<String> {
    let position = |request: &Request| {
        let named = ["start", "offset", "limit", "ordering"].into_iter();
        let named = named.filter_map(|name| Some(format!("{name}={}", values(request, name).first()?)));
        named.collect::<Vec<_>>().join(" ")
    };
    asked(server).await.iter().map(position).collect()
}

#[tokio::test]
async fn by_cursor_where_there_is_one() {
    let server = MockServer::start().await;
    let all = (1..=2_500).map(|id| id * 3).collect::<Vec<_>>();
    // The links lead to somebody else, who is never asked.
    let base = "http://192.0.2.1".into();
    serve(&server, Listing { ids: all.clone(), cap: 1_000, cursor: true, base }).await;
    let client = client(&server);
    let mut list = client.clusters(Which::All);
    assert!(!list.is_complete());
    let pages = pages(&mut list).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.rows.len()).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    assert_eq!(ids(&pages), all);
    assert!(list.is_complete() && list.next().await.unwrap().is_none());
    assert_eq!(positions(&server).await, ["start=0 limit=1000", "start=3001 limit=1000", "start=6001 limit=1000"]);
}

#[tokio::test]
async fn by_offset_in_the_order_of_ids_where_there_is_none() {
    let server = MockServer::start().await;
    let all = (1..=2_500).collect::<Vec<_>>();
    serve(&server, Listing { ids: all.clone(), cap: 1_000, cursor: false, base: "http://192.0.2.1".into() }).await;
    let client = client(&server);
    let mut list = client.clusters(Which::All);
    let found = pages(&mut list).await.unwrap();
    assert_eq!(ids(&found), all);
    assert!(list.is_complete());
    let expected = [
        "start=0 limit=1000",
        "offset=0 limit=1000 ordering=id",
        "offset=1000 limit=1000 ordering=id",
        "offset=2000 limit=1000 ordering=id",
    ];
    assert_eq!(positions(&server).await, expected);
    assert!(asked(&server).await.iter().all(|request| !values(request, "fields").is_empty()));
}

#[tokio::test]
async fn a_cap_is_respected_both_ways() {
    for cursor in [true, false] {
        let server = MockServer::start().await;
        let all = (10..=34).collect::<Vec<_>>();
        serve(&server, Listing { ids: all.clone(), cap: 10, cursor, base: String::new() }).await;
        let client = client(&server);
        let mut list = client.clusters(Which::All);
        let pages = pages(&mut list).await.unwrap();
        assert_eq!((pages.len(), ids(&pages), list.is_complete()), (3, all, true), "{cursor}");
    }
}

/// Rows come and go between the pages.
struct Moving {
    calls: AtomicUsize,
    lists: Vec<Vec<i64>>,
}

impl Respond for Moving {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let call = self.calls.fetch_add(1, Ordering::Relaxed).min(self.lists.len() - 1);
        let ids = self.lists[call].clone();
        Listing { ids, cap: 5, cursor: false, base: "http://other.example.com".into() }.respond(request)
    }
}

#[tokio::test]
async fn rows_that_slip_through_make_a_walk_incomplete() {
    let ten = (1..=10).collect::<Vec<_>>();
    let without_first = (2..=10).collect::<Vec<_>>();
    for (after, seen, complete) in [
        // One that was seen goes, and another slips into its page.
        (without_first.clone(), vec![1, 2, 3, 4, 5, 7, 8, 9, 10], false),
        (ten.clone(), ten.clone(), true),
        // New ones have larger ids.
        ((1..=12).collect(), (1..=12).collect(), true),
        // All that are left have been seen.
        (vec![1, 2, 3], vec![1, 2, 3, 4, 5], false),
    ] {
        let server = MockServer::start().await;
        serve(&server, Moving { calls: AtomicUsize::new(0), lists: vec![ten.clone(), ten.clone(), after.clone()] })
            .await;
        let client = client(&server);
        let mut list = client.clusters(Which::All);
        let pages = pages(&mut list).await.unwrap();
        assert_eq!((ids(&pages), list.is_complete()), (seen, complete), "{after:?}");
    }
}

#[tokio::test]
async fn what_goes_in_circles_is_left() {
    let row = |id: i64| json!({"id": id, "name": "c"});
    let link = |query: &str| Some(format!("http://x{CLUSTERS}?{query}"));
    for (what, count, next, rows) in [
        ("the same page for ever", Value::Null, link("start=1"), vec![row(1)]),
        ("a next page after nothing", Value::Null, link("start=1"), vec![]),
        ("rows without ids", Value::Null, link("start=1"), vec![json!({"name": "c"})]),
        ("ids that end", Value::Null, link("start=1"), vec![row(i64::MAX)]),
        ("an offset that stays", json!(5), link("limit=1000&offset=0"), vec![row(1)]),
        ("an offset after nothing", json!(5), link("limit=1000&offset=1"), vec![]),
        ("a link without an offset", json!(5), link("page=2"), vec![row(1)]),
        ("a link without anything", json!(5), Some("next".to_owned()), vec![row(1)]),
        ("an offset that is none", json!(5), link("offset=-1"), vec![row(1)]),
    ] {
        let server = MockServer::start().await;
        let body = page(count, next.as_deref(), rows);
        answer(&server, CLUSTERS, ResponseTemplate::new(200).set_body_json(body)).await;
        let client = client(&server);
        let mut list = client.clusters(Which::All);
        let failed = pages(&mut list).await;
        assert_eq!(code(&failed), "protocol", "{what}");
        assert_eq!(failed.unwrap_err().path.as_deref(), Some(CLUSTERS));
        assert!(!list.is_complete(), "{what}");
        assert!(asked(&server).await.len() <= 3, "{what}");
    }
}

#[tokio::test]
async fn no_list_has_more_than_two_thousand_pages() {
    let server = MockServer::start().await;
    serve(&server, Listing { ids: (1..=2_100).collect(), cap: 1, cursor: true, base: String::new() }).await;
    let client = client(&server);
    let mut list = client.clusters(Which::All);
    assert_eq!(code(&pages(&mut list).await), "protocol");
    assert_eq!(asked(&server).await.len(), 2_000);
}

#[tokio::test]
async fn after_a_failure_the_walk_goes_on_where_it_was() {
    let server = MockServer::start().await;
    serve(&server, Listing { ids: (1..=30).collect(), cap: 10, cursor: true, base: String::new() }).await;
    let client = client(&server);
    let mut list = client.clusters(Which::All);
    let mut found = vec![list.next().await.unwrap().unwrap()];
    let forbidden = ResponseTemplate::new(403).set_body_json(json!({"detail": "Token expired"}));
    Mock::given(path(CLUSTERS)).respond_with(forbidden).with_priority(1).up_to_n_times(1).mount(&server).await;
    assert_eq!(code(&list.next().await), "auth");
    assert!(!list.is_complete());
    found.extend(pages(&mut list).await.unwrap());
    assert_eq!(ids(&found), (1..=30).collect::<Vec<_>>());
    assert!(list.is_complete());
}
