//! The questions to the REST API. Those that write change rows that are there, so that the data stays as large as it was.
use crate::client::{Question, start};
use crate::queries::Case;
use crate::random::Random;
use crate::shape::{
    STORAGES_OF_CLUSTER, Shape, cluster_of_node, endpoint_name, endpoint_of_cluster, netbox_cluster, node_name,
};
use crate::storage;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

const NODES: &str = "/api/plugins/proxbox/nodes/";
const STORAGES: &str = "/api/plugins/proxbox/storage/";
const JSON: &str = "application/json";

#[derive(Deserialize)]
struct Page<T> {
    count: u32,
    results: Vec<T>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Node {
    id: u32,
    name: String,
    endpoint: Named,
    netbox_device: Named,
}

#[derive(Deserialize)]
struct Storage {
    id: u32,
    path: Option<String>,
}

fn case(question: Question, check: impl Fn(&[u8]) -> Result<()> + 'static) -> Case {
    Case { question, check: Box::new(check) }
}

fn read<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T> {
    serde_json::from_slice(answer).with_context(|| format!("a wrong answer: {}", start(answer)))
}

/// A node's names follow from its id.
fn check_node(node: &Node) -> Result<()> {
    let name = node_name(node.id);
    ensure!(node.name == name && node.netbox_device.name == name, "{name} is not called so");
    let endpoint = endpoint_name(endpoint_of_cluster(cluster_of_node(node.id)));
    ensure!(node.endpoint.name == endpoint, "{name} has another endpoint");
    Ok(())
}

pub fn one_node(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let ids = (0..1_000).map(|_| 1 + random.below(shape.nodes().into()) as u32);
    let case = |id: u32| {
        case(Question::get(format!("{NODES}{id}/"), JSON), move |answer| {
            let node = read::<Node>(answer)?;
            ensure!(node.id == id, "another node");
            check_node(&node)
        })
    };
    ids.map(case).collect()
}

/// The first twenty pages.
pub fn nodes(shape: &Shape) -> Vec<Case> {
    let all = shape.nodes();
    let case = |page: u32| {
        case(Question::get(format!("{NODES}?limit=50&offset={}", 50 * page), JSON), move |answer| {
            let page = read::<Page<Node>>(answer)?;
            ensure!(page.count == all && page.results.len() == 50, "{} of {} nodes", page.results.len(), page.count);
            page.results.iter().try_for_each(check_node)
        })
    };
    (0..20).map(case).collect()
}

/// Whether these are all storages from one place in the default order to another, judged by the first and the last.
fn check_storages(shape: &Shape, first: u32, count: u32) -> impl Fn(usize, u32, u32) -> Result<()> + use<> {
    let expected = [first, first + count - 1].map(|offset| shape.storage_at(offset));
    move |found, first, last| {
        ensure!(found == count as usize, "{found} storages, not {count}");
        ensure!([first, last] == expected, "from {first} to {last}, not {expected:?}");
        Ok(())
    }
}

/// The first five pages.
pub fn storages(shape: &Shape) -> Vec<Case> {
    let all = shape.storages();
    let case = |page: u32| {
        let offset = 1_000 * page;
        let check = check_storages(shape, offset, 1_000);
        case(Question::get(format!("{STORAGES}?limit=1000&offset={offset}"), JSON), move |answer| {
            let page = read::<Page<Storage>>(answer)?;
            ensure!(page.count == all, "{} in all", page.count);
            let rows = &page.results;
            let (first, last) = rows.first().zip(rows.last()).context("no storages")?;
            check(rows.len(), first.id, last.id)
        })
    };
    (0..5).map(case).collect()
}

pub fn all_storages(shape: &Shape) -> Vec<Case> {
    let check = check_storages(shape, 0, shape.storages());
    vec![case(Question::get(STORAGES.to_owned(), "application/x-ndjson"), move |answer| {
        ensure!(answer.last() == Some(&b'\n'), "the last line has no end");
        let mut lines = answer[..answer.len() - 1].split(|byte| *byte == b'\n');
        let (count, last) = (lines.clone().count(), lines.clone().next_back().unwrap_or_default());
        let first = read::<Storage>(lines.next().unwrap_or_default())?;
        check(count, first.id, read::<Storage>(last)?.id)
    })]
}

/// A storage by its natural key, with another path.
fn change(id: u32, path: &str) -> Value {
    let (cluster, place) = ((id - 1) / STORAGES_OF_CLUSTER + 1, (id - 1) % STORAGES_OF_CLUSTER);
    json!({"cluster": netbox_cluster(cluster), "name": storage::name(place), "path": path})
}

fn check_change(storage: &Storage, id: u32, path: &str) -> Result<()> {
    ensure!(storage.id == id && storage.path.as_deref() == Some(path), "storage {} has not become {path}", storage.id);
    Ok(())
}

/// Values that a change chooses from: one in so many requests finds what it asks for and changes nothing.
const PATHS: u32 = 8;

pub fn upsert(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let case = |number: u32| {
        let id = 1 + random.below(shape.storages().into()) as u32;
        let path = format!("/srv/{}", number % PATHS);
        case(Question::post(STORAGES, &change(id, &path)), move |answer| check_change(&read(answer)?, id, &path))
    };
    (0..4_000).map(case).collect()
}

/// All storages of four clusters in each request.
pub fn bulk_upsert(shape: &Shape) -> Vec<Case> {
    const MOST: u32 = 1_000;
    let groups = (shape.storages() / MOST).min(20);
    let case = |number: u32| {
        let (first, path) = (1 + MOST * (number % groups), format!("/mnt/{}", number / groups));
        let rows = (first..first + MOST).map(|id| change(id, &path)).collect();
        case(Question::post(STORAGES, &Value::Array(rows)), move |answer| {
            let rows = read::<Vec<Storage>>(answer)?;
            ensure!(rows.len() == MOST as usize, "{} storages", rows.len());
            (first..).zip(&rows).try_for_each(|(id, row)| check_change(row, id, &path))
        })
    };
    (0..groups * PATHS).map(case).collect()
}
