//! The client of NetBox against the answers of a real one, and against one that is told what to do wrong.
mod checking;
mod connecting;
mod faults;
mod paging;
mod reading;
mod refusals;

use super::code;
use crate::support::netbox::{real, token};
use proxbox_graphql::client::netbox::{Failure, NetBox, Page, Pages, Rules, Target};
use std::time::Duration;
use wiremock::{MockServer, Request};

/// Rules under which tests are quick.
pub fn rules() -> Rules {
    Rules { retry_base: Duration::from_millis(2), ..Rules::netbox() }
}

/// A client of a NetBox at this address.
pub fn at(url: &str, token: &str) -> NetBox {
    within(url, token, rules())
}

/// A client with other rules.
pub fn within(url: &str, token: &str, rules: Rules) -> NetBox {
    NetBox::new(Target::parse(url, token.into(), None).unwrap(), rules).unwrap()
}

/// The client of the one who may do everything.
pub fn client(server: &MockServer) -> NetBox {
    at(&server.uri(), &token("TOKEN_ADMIN"))
}

/// The client of one of the recorded tokens, and the real NetBox.
pub async fn recorded(name: &str) -> (MockServer, NetBox) {
    let server = real().await;
    let client = at(&server.uri(), &token(name));
    (server, client)
}

/// All pages of a list.
pub async fn pages<T>(list: &mut Pages<'_, T>) -> Result<Vec<Page<T>>, Failure> {
    let mut all = Vec::new();
    while let Some(page) = list.next().await? {
        all.push(page);
    }
    Ok(all)
}

/// All rows of a list that has no odd ones.
pub async fn rows<T>(mut list: Pages<'_, T>) -> Vec<T> {
    let pages = pages(&mut list).await.unwrap();
    assert!(pages.iter().all(|page| page.odd.is_empty()));
    assert!(list.is_complete());
    pages.into_iter().flat_map(|page| page.rows).collect()
}

/// Everything that was asked.
pub async fn asked(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// The values that a request gives for a name.
pub fn values(request: &Request, name: &str) -> Vec<String> {
    request.url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}
