//! What is asked to see whether a NetBox can be used.
use super::{asked, at, client, code, recorded};
use crate::support::netbox::{DEVICES, answer, real};
use proxbox_graphql::client::netbox::NetBox;
use proxbox_graphql::client::netbox::check::{Checked, Found, Step, check};
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

/// The result of each step; `-` for what was not asked.
async fn codes(client: &NetBox) -> [&'static str; 5] {
    let all = check(client).await;
    let steps = all.iter().map(|checked| checked.step).collect::<Vec<_>>();
    assert_eq!(steps, [Step::Reached, Step::Version, Step::Token, Step::Clusters, Step::Devices]);
    let told = |checked: &Checked| checked.result.as_ref().map_or("-", code);
    all.iter().map(told).collect::<Vec<_>>().try_into().unwrap()
}

#[tokio::test]
async fn all_is_well() {
    let (server, client) = recorded("TOKEN_READONLY").await;
    let found = check(&client).await.into_iter().map(|checked| checked.result.unwrap().unwrap());
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            Found::Address(server.uri()),
            Found::Version(Some("4.5.10".into())),
            Found::User(Some("admin".into())),
            Found::Count(Some(6)),
            Found::Count(Some(12)),
        ]
    );
    assert_eq!(asked(&server).await.len(), 4);
}

#[tokio::test]
async fn each_step_fails_by_itself() {
    let server = real().await;
    for (token, expected) in [
        ("3333333333333333333333333333333333333333", ["ok", "ok", "ok", "permission", "permission"]),
        // This one wants the token for its version too.
        ("4444444444444444444444444444444444444444", ["ok", "-", "auth", "-", "-"]),
        ("bogus", ["ok", "-", "auth", "-", "-"]),
    ] {
        assert_eq!(codes(&at(&server.uri(), token)).await, expected, "{token}");
    }
    answer(&server, DEVICES, ResponseTemplate::new(200).set_body_json(json!({"devices": []}))).await;
    assert_eq!(codes(&client(&server)).await, ["ok", "ok", "ok", "ok", "not_netbox"]);
    answer(
        &server,
        "/api/authentication-check/",
        ResponseTemplate::new(403).set_body_json(json!({"detail": "Token disabled"})),
    )
    .await;
    assert_eq!(codes(&client(&server)).await, ["ok", "ok", "auth", "-", "-"], "the version is for anybody");
    assert_eq!(codes(&at("http://127.0.0.1:1", "t0ken")).await, ["connect", "-", "-", "-", "-"]);
    let other = MockServer::start().await;
    assert_eq!(codes(&client(&other)).await, ["not_netbox", "-", "-", "-", "-"]);
}
