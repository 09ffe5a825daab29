//! From an answer to its data, or to the class of what went wrong.
use super::scalar::{flag, int};
use crate::client::body::{self, is_json};
use crate::client::failure::{Class, Failure};
use crate::client::wire::{Answer, Broken};
use serde_json::Value;

/// What an answer is wrapped in.
#[derive(Debug)]
pub(super) struct Envelope {
    pub data: Value,
}

/// The data of an answer that worked. `plain`: it came over HTTP without TLS.
pub(super) fn envelope(answer: &Answer, plain: bool) -> Result<Envelope, Broken> {
    let told = |class, message: &str| Broken::for_good(Failure::new(class, message).with_status(answer.status));
    if answer.status != 200 {
        return Err(refused(answer, plain));
    }
    let body = body::value(answer, Class::NotProxmox).map_err(Broken::for_good)?;
    let Value::Object(mut body) = body else {
        return Err(told(Class::NotProxmox, "the answer is JSON, but not Proxmox' (no `data`)"));
    };
    // The wrapping for Proxmox' own pages: errors are in it, and the status says 200.
    if body.get("success").and_then(flag) == Some(false) {
        let status = body.get("status").and_then(int).and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        let reason = body.get("message").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (content_type, body) = (answer.content_type.clone(), answer.body.clone());
        return Err(refused(&Answer { status, reason, content_type, location: None, retry_after: None, body }, plain));
    }
    match body.get_mut("data") {
        Some(data) => Ok(Envelope { data: data.take() }),
        None => Err(told(Class::NotProxmox, "the answer is JSON, but not Proxmox' (no `data`)")),
    }
}

/// What an answer that is none means, and whether another attempt may do better.
fn refused(answer: &Answer, plain: bool) -> Broken {
    let words = words(answer);
    let told = |class, message: String| Failure::new(class, message).with_status(answer.status);
    let said = || format!("{} {words}", answer.status);
    match answer.status {
        // Not Proxmox' status for anything: its server passes on what is wrong with pmxcfs by 401 too.
        401 if is_pmxcfs(&words) => Broken::for_good(told(Class::Degraded, said())),
        401 => Broken::for_good(told(Class::Auth, format!("the credentials are refused: {words}"))),
        403 => Broken::for_good(forbidden(answer, &words)),
        300..=399 => Broken::for_good(body::redirected(answer, plain, Class::NotProxmox)),
        404 | 405 | 501 => {
            Broken::for_good(told(Class::NotProxmox, format!("no Proxmox VE, or one too old: {}", said())))
        }
        500 | 502..=504 => Broken::for_now(told(Class::Degraded, said())),
        // A node that was asked in turn cannot be reached.
        595 => Broken::for_good(told(Class::Degraded, said())),
        596..=599 => Broken { attempts: 2, ..Broken::for_now(told(Class::Degraded, said())) },
        429 | 505.. => Broken::for_good(told(Class::Degraded, said())),
        _ => Broken::for_good(told(Class::Protocol, said())),
    }
}

/// `Permission check failed (/, Sys.Audit)`: the path and the privilege.
fn forbidden(answer: &Answer, words: &str) -> Failure {
    let missing = words.split_once("Permission check failed (").and_then(|(_, rest)| rest.split_once(", "));
    let missing = missing.and_then(|(path, rest)| Some((path, rest.split_once(')')?.0)));
    let class = match missing {
        Some((path, privilege)) => Class::Permission { path: path.to_owned(), privilege: privilege.to_owned() },
        None if is_json(answer) => Class::Permission { path: String::new(), privilege: String::new() },
        // Somebody else on the way.
        None => Class::NotProxmox,
    };
    let message = match missing {
        Some((path, privilege)) => format!("the privilege {privilege} on {path} is missing"),
        None => format!("403 {words}"),
    };
    Failure::new(class, message).with_status(403)
}

fn is_pmxcfs(words: &str) -> bool {
    ["Unable to load access control list", "ipcc_send_rec", "Connection refused"]
        .iter()
        .any(|mark| words.contains(mark))
}

/// The words of an error: the reason phrase, or what the body says if the phrase is only the status' own name.
fn words(answer: &Answer) -> String {
    let body =
        is_json(answer).then(|| serde_json::from_slice::<Value>(&answer.body).ok()).flatten().unwrap_or_default();
    let text = |key| body.get(key).and_then(Value::as_str).map(str::trim).filter(|text: &&str| !text.is_empty());
    let canonical = reqwest::StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let reason = Some(answer.reason.as_str()).filter(|reason| !reason.is_empty() && Some(*reason) != canonical);
    let words = reason.or(text("message")).unwrap_or(canonical.unwrap_or("no reason given"));
    // Of wrong parameters the body says which.
    match body.get("errors").and_then(Value::as_object).filter(|errors| !errors.is_empty()) {
        Some(errors) => format!("{words} {}", Value::Object(errors.clone())),
        None => words.to_owned(),
    }
}
