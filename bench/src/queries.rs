//! The queries: what is asked, with which variables, and what must come back. Those of REST are in `rest`.
use crate::client::{Client, Question, start};
use crate::random::Random;
use crate::rest;
use crate::shape::{
    NODES_OF_CLUSTER, Shape, cluster_name, cluster_of_node, endpoint_name, endpoint_of_cluster, netbox_cluster_name,
    node_name, shared_and_enabled,
};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// The parts of answers that are looked at. Everything else is read over, which is cheap.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    proxmox_node: Option<Node<'a>>,
    proxmox_nodes: Option<Page<Node<'a>>>,
    proxmox_clusters: Option<Page<Cluster>>,
    proxmox_storages: Option<Page<Storage<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Vec::new")]
    nodes: Vec<T>,
    total_count: Option<u32>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    database_id: u32,
    name: &'a str,
    #[serde(borrow)]
    endpoint: Named<'a>,
    proxmox_cluster: Named<'a>,
    netbox_device: Named<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    proxmox_nodes: Page<IgnoredAny>,
    proxmox_storages: Page<IgnoredAny>,
}

#[derive(Deserialize)]
struct Storage<'a> {
    id: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
    errors: Option<IgnoredAny>,
}

/// What was answered, when it is an answer at all: anything with errors is none.
fn read(answer: &[u8]) -> Result<Data<'_>> {
    let read = serde_json::from_slice::<Answer>(answer).ok().filter(|answer| answer.errors.is_none());
    read.and_then(|answer| answer.data).with_context(|| format!("a wrong answer: {}", start(answer)))
}

type Check = dyn Fn(&[u8]) -> Result<()>;

/// A question with its variables, and what its answer must hold.
pub struct Case {
    pub question: Question,
    pub check: Box<Check>,
}

/// A query with the requests to choose from.
pub struct Query {
    pub name: &'static str,
    pub about: &'static str,
    pub cases: Vec<Case>,
    /// For a walk over all pages, one client alone: how many pages, and how long they took.
    pub walk: Option<(usize, Duration)>,
}

/// Every query by its name, in the order of the table.
pub const NAMES: [&str; 14] = ["Q1", "Q2", "Q3", "Q4", "Q5a", "Q5b", "Q6a", "Q6b", "R1", "R2", "R3", "R4", "R5", "R6"];

/// Sets a query up on a running server: cursors have to be asked for.
pub async fn prepare(name: &'static str, client: &mut Client, shape: &Shape) -> Result<Query> {
    let mut random = Random::new(100, NAMES.iter().position(|known| *known == name).unwrap_or(0) as u64);
    let mut walk = None;
    let (about, cases) = match name {
        "Q1" => ("one node with three names", one_node(shape, &mut random)),
        "Q2" => ("100 nodes with three names each", nodes(client, shape, &mut random).await?),
        "Q3" => ("20 clusters with 25 nodes and 10 storages each", nested(shape, &mut random)),
        "Q4" => ("50 filtered storages and their count", filtered(shape, &mut random)),
        "Q5a" => ("100 storages at offset 40 000", by_offset(shape)),
        "Q5b" => ("the same 100 storages by cursor", by_cursor(client, shape).await?),
        "Q6a" => {
            let (cases, took) = all_storages(client, shape, "").await?;
            walk = Some((cases.len(), took));
            ("1 000 of all storages, default order", cases)
        }
        "Q6b" => {
            let (cases, took) = all_storages(client, shape, ", orderBy: [{field: ID}]").await?;
            walk = Some((cases.len(), took));
            ("1 000 of all storages, by id", cases)
        }
        "R1" => ("REST: one node", rest::one_node(shape, &mut random)),
        "R2" => ("REST: 50 nodes and their count", rest::nodes(shape)),
        "R3" => ("REST: 1 000 storages and their count", rest::storages(shape)),
        "R4" => ("REST: all storages as NDJSON", rest::all_storages(shape)),
        "R5" => ("REST: upsert of a storage", rest::upsert(shape, &mut random)),
        _ => ("REST: upsert of 1 000 storages", rest::bulk_upsert(shape)),
    };
    Ok(Query { name, about, cases, walk })
}

fn case(text: &str, variables: &Value, check: impl Fn(&Data) -> Result<()> + 'static) -> Case {
    Case { question: Question::graphql(text, variables), check: Box::new(move |answer| check(&read(answer)?)) }
}

const NODE: &str = "databaseId name endpoint { name } proxmoxCluster { name } netboxDevice { name }";

/// A node's three names follow from its id.
fn check_node(node: &Node) -> Result<()> {
    let cluster = cluster_of_node(node.database_id);
    let name = node_name(node.database_id);
    ensure!(node.name == name && node.netbox_device.name == name, "{name} is not called so");
    ensure!(node.proxmox_cluster.name == cluster_name(cluster), "{name} has another cluster");
    ensure!(node.endpoint.name == endpoint_name(endpoint_of_cluster(cluster)), "{name} has another endpoint");
    Ok(())
}

fn one_node(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let text = format!("query Node($id: ID!) {{ proxmoxNode(id: $id) {{ {NODE} }} }}");
    let ids = (0..1_000).map(|_| 1 + random.below(shape.nodes().into()) as u32);
    let case = |id: u32| {
        case(&text, &json!({"id": id}), move |data| {
            let node = data.proxmox_node.as_ref().context("no such node")?;
            ensure!(node.database_id == id, "another node");
            check_node(node)
        })
    };
    ids.map(case).collect()
}

async fn nodes(client: &mut Client, shape: &Shape, random: &mut Random) -> Result<Vec<Case>> {
    let text = format!(
        "query Nodes($after: String) {{ proxmoxNodes(first: 100, after: $after) {{ nodes {{ {NODE} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let mut cases = Vec::new();
    for _ in 0..50 {
        let after = cursor(client, "proxmoxNodes", random.below(u64::from(shape.nodes()) - 100)).await?;
        cases.push(case(&text, &json!({"after": after}), |data| {
            let nodes = &data.proxmox_nodes.as_ref().context("no nodes")?.nodes;
            ensure!(nodes.len() == 100, "{} nodes", nodes.len());
            nodes.iter().try_for_each(check_node)
        }));
    }
    Ok(cases)
}

fn nested(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let text = "query Clusters($offset: Int!) { proxmoxClusters(first: 20, offset: $offset) { nodes { name quorate \
                proxmoxNodes(first: 25) { nodes { name online cpuUsage memoryUsage } } \
                proxmoxStorages(first: 10) { nodes { name storageType enabled } } } } }";
    let last = u64::from(shape.clusters()) - 20;
    let case = |_| {
        case(text, &json!({"offset": random.below(last + 1)}), |data| {
            let clusters = &data.proxmox_clusters.as_ref().context("no clusters")?.nodes;
            ensure!(clusters.len() == 20, "{} clusters", clusters.len());
            for cluster in clusters {
                let (nodes, storages) = (cluster.proxmox_nodes.nodes.len(), cluster.proxmox_storages.nodes.len());
                ensure!(nodes == NODES_OF_CLUSTER as usize && storages == 10, "{nodes} nodes, {storages} storages");
            }
            Ok(())
        })
    };
    (0..200).map(case).collect()
}

fn filtered(shape: &Shape, random: &mut Random) -> Vec<Case> {
    let text = "query Shared($cluster: String!) { proxmoxStorages(first: 50, \
                filter: {cluster: {name: {eq: $cluster}}, enabled: {eq: true}, shared: {eq: true}}) \
                { totalCount nodes { id name storageType content nodes server shared enabled } } }";
    let expected = shared_and_enabled();
    let case = |_| {
        let name = netbox_cluster_name(1 + random.below(shape.clusters().into()) as u32);
        case(text, &json!({"cluster": name}), move |data| {
            let page = data.proxmox_storages.as_ref().context("no storages")?;
            ensure!(page.total_count == Some(expected), "{:?} in all, not {expected}", page.total_count);
            ensure!(page.nodes.len() == 50, "{} storages", page.nodes.len());
            Ok(())
        })
    };
    (0..200).map(case).collect()
}

const FAR: u32 = 40_000;

const STORAGE: &str = "id name storageType content path shared enabled cluster { name }";

/// Some places close together, so that it is not one answer again and again.
fn places() -> impl Iterator<Item = u32> {
    (0..20).map(|i| FAR + 10 * i)
}

/// The hundred storages at this place, from the first to the last.
fn check_place(shape: &Shape, offset: u32) -> impl Fn(&Data) -> Result<()> + use<> {
    let ends = [offset, offset + 99].map(|offset| format!("ProxmoxStorage:{}", shape.storage_at(offset)));
    move |data| {
        let rows = &data.proxmox_storages.as_ref().context("no storages")?.nodes;
        ensure!(rows.len() == 100, "{} storages", rows.len());
        ensure!(rows[0].id == ends[0] && rows[99].id == ends[1], "not from {} to {}", ends[0], ends[1]);
        Ok(())
    }
}

fn by_offset(shape: &Shape) -> Vec<Case> {
    let text = format!(
        "query Page($offset: Int!) {{ proxmoxStorages(first: 100, offset: $offset) {{ nodes {{ {STORAGE} }} }} }}"
    );
    places().map(|offset| case(&text, &json!({"offset": offset}), check_place(shape, offset))).collect()
}

async fn by_cursor(client: &mut Client, shape: &Shape) -> Result<Vec<Case>> {
    let text = format!(
        "query Page($after: String!) {{ proxmoxStorages(first: 100, after: $after) {{ nodes {{ {STORAGE} }} }} }}"
    );
    let mut cases = Vec::new();
    for offset in places() {
        let after = cursor(client, "proxmoxStorages", offset.into()).await?;
        cases.push(case(&text, &json!({"after": after}), check_place(shape, offset)));
    }
    Ok(cases)
}

/// The cursor behind which a page begins at this offset in the default order; none at the start.
async fn cursor(client: &mut Client, list: &str, offset: u64) -> Result<Option<String>> {
    let Some(before) = offset.checked_sub(1) else { return Ok(None) };
    let text = format!("query Cursor($at: Int!) {{ {list}(first: 1, offset: $at) {{ pageInfo {{ endCursor }} }} }}");
    let answer = client.ask(&Question::graphql(&text, &json!({"at": before}))).await?;
    let data = read(&answer)?;
    let info = data.proxmox_nodes.and_then(|page| page.page_info);
    let info = info.or_else(|| data.proxmox_storages.and_then(|page| page.page_info));
    Ok(Some(info.and_then(|info| info.end_cursor).context("no cursor")?))
}

fn thousand(data: &Data) -> Result<()> {
    let rows = &data.proxmox_storages.as_ref().context("no storages")?.nodes;
    let different: HashSet<_> = rows.iter().map(|row| row.id).collect();
    ensure!(different.len() == 1_000, "{} storages", different.len());
    Ok(())
}

/// More pages than these are not walked; at scale 1 there are 50.
const MOST_PAGES: usize = 100;

/// Walks over all storages twice: first to see that each comes once and to note where the pages begin, then on time.
async fn all_storages(client: &mut Client, shape: &Shape, order: &str) -> Result<(Vec<Case>, Duration)> {
    let text = format!(
        "query All($after: String) {{ proxmoxStorages(first: 1000, after: $after{order}) {{ \
         nodes {{ id databaseId name storageType content path nodes shared enabled server pruneBackups format created lastUpdated }} \
         pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let pages = (shape.storages() as usize / 1_000).min(MOST_PAGES);
    let mut cases = Vec::new();
    let mut seen = HashSet::new();
    let mut after = None;
    for _ in 0..pages {
        cases.push(case(&text, &json!({"after": after}), thousand));
        let answer = client.ask(&Question::graphql(&text, &json!({"after": after}))).await?;
        let page = read(&answer)?.proxmox_storages.context("no storages")?;
        seen.extend(page.nodes.iter().map(|row| row.id.to_owned()));
        after = page.page_info.and_then(|info| info.end_cursor);
    }
    ensure!(seen.len() == pages * 1_000, "a walk over {pages} pages saw {} storages", seen.len());
    let begun = Instant::now();
    for case in &cases {
        let answer = client.ask(&case.question).await?;
        (case.check)(&answer)?;
    }
    Ok((cases, begun.elapsed()))
}
