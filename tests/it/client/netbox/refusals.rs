//! Tokens: how they are sent, how they are refused, and that nobody sees them.
use super::{asked, at, client, code, pages, recorded};
use crate::support::netbox::{CLUSTERS, DEVICES, answer, real, recorded as lines};
use proxbox_graphql::client::netbox::{Class, NetBox, Rules, Target, Which};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

#[tokio::test]
async fn both_forms_are_sent_with_their_words() {
    for (name, keyword) in [("TOKEN_ADMIN", "Token "), ("TOKEN_ADMIN_V2", "Bearer nbt_"), ("TOKEN_READONLY", "Token ")]
    {
        let (server, client) = recorded(name).await;
        assert_eq!(client.version().await.unwrap().as_deref(), Some("4.5.10"));
        assert_eq!(client.user().await.unwrap().as_deref(), Some("admin"), "{name}");
        let asked = asked(&server).await;
        assert_eq!(asked.len(), 2);
        for request in asked {
            assert!(request.headers["authorization"].to_str().unwrap().starts_with(keyword), "{name}");
            assert_eq!(request.headers["accept"], "application/json");
        }
    }
}

#[tokio::test]
async fn every_recorded_refusal_has_its_class_and_netboxs_words() {
    let server = real().await;
    let mut refusals = 0;
    for pair in lines() {
        let (request, response) = (&pair["request"], &pair["response"]);
        // Nobody asks without a token here.
        let (403, Some(sent)) = (response["status"].as_u64().unwrap(), request["authorization"].as_str()) else {
            continue;
        };
        let client = at(&server.uri(), sent.split_once(' ').unwrap().1);
        let path = request["path"].as_str().unwrap();
        let failure = client.get::<Value>(path).await.unwrap_err();
        let (route, detail) = (path.split('?').next().unwrap(), response["body"]["detail"].as_str().unwrap());
        let expected = match detail.starts_with("You do not have permission") {
            true => Class::Permission { path: route.into(), privilege: String::new() },
            false => Class::Auth,
        };
        assert_eq!((&failure.class, failure.path.as_deref(), failure.status), (&expected, Some(route), Some(403)));
        assert!(failure.message.contains(detail), "{failure}");
        assert!(expected == Class::Auth || failure.message.contains(route), "{failure}");
        refusals += 1;
    }
    assert!(refusals >= 15, "{refusals}");
}

#[tokio::test]
async fn words_about_tokens_are_told_from_missing_permissions() {
    let server = MockServer::start().await;
    let client = client(&server);
    let json = |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body);
    let html = |status: u16| ResponseTemplate::new(status).set_body_raw("<html>no</html>", "text/html");
    for (response, expected) in [
        (json(403, json!({"detail": "Invalid v1 token"})), "auth"),
        (json(403, json!({"detail": "Invalid v2 token"})), "auth"),
        (json(403, json!({"detail": "Invalid token"})), "auth"),
        (json(403, json!({"detail": "Token expired"})), "auth"),
        (json(403, json!({"detail": "Token disabled"})), "auth"),
        (json(403, json!({"detail": "User inactive"})), "auth"),
        (
            json(403, json!({"detail": "Source IP 192.0.2.1 is not permitted to authenticate using this token."})),
            "auth",
        ),
        (json(403, json!({"detail": "Authentication credentials were not provided."})), "auth"),
        (json(401, json!({"detail": "Invalid token."})), "auth"),
        (html(401), "auth"),
        (json(403, json!({"detail": "You do not have permission to perform this action."})), "permission"),
        (json(403, json!({"detail": "Du bist nicht berechtigt, diese Aktion durchzuführen."})), "permission"),
        // Somebody on the way.
        (html(403), "not_netbox"),
    ] {
        server.reset().await;
        answer(&server, DEVICES, response.clone()).await;
        assert_eq!(code(&client.devices(Which::All).next().await), expected, "{response:?}");
        assert_eq!(asked(&server).await.len(), 1, "nothing gets better by asking again");
    }
}

#[tokio::test]
async fn whose_an_old_netbox_says_the_token_is() {
    let server = MockServer::start().await;
    let client = client(&server);
    let json = |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body);
    // 4.4 and older have no authentication-check, and whoever is logged in may ask for their settings.
    answer(&server, "/api/users/config/", json(200, json!({}))).await;
    assert_eq!(client.user().await, Ok(None));
    server.reset().await;
    answer(&server, "/api/users/config/", json(403, json!({"detail": "Invalid token"}))).await;
    assert_eq!(code(&client.user().await), "auth");
    // What plays NetBox may have the lists only.
    for (response, expected) in [
        (json(200, json!({"count": 0, "next": null, "previous": null, "results": []})), "ok"),
        (json(403, json!({"detail": "You do not have permission to perform this action."})), "ok"),
        (json(403, json!({"detail": "Invalid token"})), "auth"),
        (ResponseTemplate::new(404), "not_netbox"),
    ] {
        server.reset().await;
        answer(&server, CLUSTERS, response.clone()).await;
        assert_eq!(code(&client.user().await), expected, "{response:?}");
        assert_eq!(client.version().await, Ok(None));
    }
}

#[tokio::test]
async fn a_token_that_comes_back_is_not_shown() {
    for (token, secret) in [("canary0123456789", "canary"), ("nbt_somekey.canary0123456789", "canary")] {
        let server = MockServer::start().await;
        let client = at(&server.uri(), &format!(" {token}\n"));
        assert!(!format!("{client:?}").contains(secret));
        // Wherever it is cut, no part of it stays.
        for before in [0, 150, 185, 190, 380, 385, 390, 395] {
            let echo = format!("{}{token} is what you sent, {}", "x".repeat(before), &token[token.len() - 16..]);
            for response in [
                ResponseTemplate::new(403).set_body_json(json!({"detail": echo})),
                ResponseTemplate::new(403).set_body_raw(echo.clone(), "text/plain"),
                ResponseTemplate::new(400).set_body_json(json!({"id": [echo]})),
                ResponseTemplate::new(200).set_body_raw(echo.clone(), "text/html"),
                ResponseTemplate::new(200).set_body_raw(format!("{{{echo}"), "application/json"),
                ResponseTemplate::new(302).insert_header("location", format!("http://x/?{echo}").replace(' ', "+")),
                ResponseTemplate::new(500).set_body_json(json!({"error": echo, "exception": "KeyError"})),
            ] {
                server.reset().await;
                answer(&server, DEVICES, response).await;
                let failure = client.devices(Which::All).next().await.unwrap_err();
                let told = format!("{failure} {failure:?}");
                assert!(!told.contains(secret), "{told}");
                assert!(failure.message.chars().count() <= 400 && !failure.message.contains('\n'), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_token_or_an_address_is_refused() {
    for bad in ["", " \n", "Bearer nbt_canary.x", "can\u{7f}ary", "canäry"] {
        let refused = Target::parse("https://netbox.example.com", bad.into(), None).unwrap_err();
        assert!(!refused.contains("can"), "{refused}");
        // However the target was made.
        let url = "https://netbox.example.com".parse().unwrap();
        let target = Target { url, token: bad.into(), trust: proxbox_graphql::client::netbox::Trust::System };
        let failure = NetBox::new(target, Rules::netbox()).unwrap_err();
        assert!(failure.class == Class::Auth && !failure.message.contains("can"), "{failure}");
    }
    let new = |url: &str| NetBox::new(Target::parse(url, "t0ken".into(), None).unwrap(), Rules::netbox());
    for refused in ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://2852039166/"] {
        assert_eq!(code(&new(refused)), "address", "{refused}");
    }
    for allowed in ["http://127.0.0.1:8000", "http://[::1]/netbox/", "https://10.0.0.1", "https://netbox/api/"] {
        assert_eq!(code(&new(allowed)), "ok", "{allowed}");
    }
    assert_eq!(new("https://netbox.example.com:443/nb/api/").unwrap().url(), "https://netbox.example.com/nb");
    let strict = Rules { allow_http: false, ..Rules::netbox() };
    let target = Target::parse("http://netbox.example.com", "t0ken".into(), None).unwrap();
    assert_eq!(code(&NetBox::new(target, strict)), "address");
    let bad = Target::parse("https://netbox.example.com", "t0ken".into(), Some("no certificate".into()));
    assert!(bad.unwrap_err().contains("CA certificate"));
}

#[tokio::test]
async fn rights_are_asked_by_each_list() {
    let (_server, client) = recorded("TOKEN_NOBODY").await;
    assert_eq!(client.user().await.unwrap().as_deref(), Some("nobody"));
    let mut list = client.clusters(Which::All);
    let failure = pages(&mut list).await.unwrap_err();
    assert!(failure.message.starts_with("the token may not see /api/virtualization/clusters/"), "{failure}");
    assert!(!list.is_complete());
}
