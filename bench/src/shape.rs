//! What the data looks like: how many there are of each, who belongs to whom, and how they are called. The generator
//! writes by it, and the runner knows by it what must be in an answer.
use crate::storage;

/// The value of the token in the file. It opens nothing but a throwaway database.
pub const TOKEN: &str = "be9cbe9cbe9cbe9cbe9cbe9cbe9cbe9cbe9cbe9c";

pub const CLUSTERS_OF_ENDPOINT: u32 = 4;
pub const NODES_OF_CLUSTER: u32 = 25;
pub const STORAGES_OF_CLUSTER: u32 = 250;

// NetBox counts its objects by itself. Other numbers than ours also show up when two are mixed up.
const FIRST_NETBOX_CLUSTER: u32 = 101;
const FIRST_NETBOX_DEVICE: u32 = 1001;

const SITES: [&str; 16] =
    ["fra", "ams", "vie", "ham", "par", "lon", "mad", "mil", "zrh", "waw", "prg", "osl", "sto", "hel", "dub", "lis"];

pub struct Shape {
    pub scale: u32,
}

impl Shape {
    pub fn endpoints(&self) -> u32 {
        50 * self.scale
    }

    pub fn clusters(&self) -> u32 {
        self.endpoints() * CLUSTERS_OF_ENDPOINT
    }

    pub fn nodes(&self) -> u32 {
        self.clusters() * NODES_OF_CLUSTER
    }

    pub fn storages(&self) -> u32 {
        self.clusters() * STORAGES_OF_CLUSTER
    }

    /// The id of the storage at this offset in the default order: by NetBox cluster, then by name.
    pub fn storage_at(&self, offset: u32) -> u32 {
        let mut clusters: Vec<_> = (1..=self.clusters()).collect();
        clusters.sort_by_cached_key(|&cluster| netbox_cluster_name(cluster));
        let mut places: Vec<_> = (0..STORAGES_OF_CLUSTER).collect();
        places.sort_by_cached_key(|&place| storage::name(place));
        let cluster = clusters[(offset / STORAGES_OF_CLUSTER) as usize];
        (cluster - 1) * STORAGES_OF_CLUSTER + places[(offset % STORAGES_OF_CLUSTER) as usize] + 1
    }
}

pub fn endpoint_of_cluster(cluster: u32) -> u32 {
    (cluster - 1) / CLUSTERS_OF_ENDPOINT + 1
}

pub fn cluster_of_node(node: u32) -> u32 {
    (node - 1) / NODES_OF_CLUSTER + 1
}

pub fn netbox_cluster(cluster: u32) -> u32 {
    FIRST_NETBOX_CLUSTER - 1 + cluster
}

pub fn netbox_device(node: u32) -> u32 {
    FIRST_NETBOX_DEVICE - 1 + node
}

/// Site and number, e.g. `vie0003`: sorted by name the endpoints come in another order than by id, as in real life.
pub fn endpoint_name(endpoint: u32) -> String {
    format!("{}{endpoint:04}", SITES[endpoint as usize % SITES.len()])
}

pub fn cluster_name(cluster: u32) -> String {
    format!("{}-c{}", endpoint_name(endpoint_of_cluster(cluster)), (cluster - 1) % CLUSTERS_OF_ENDPOINT + 1)
}

pub fn netbox_cluster_name(cluster: u32) -> String {
    format!("{} Production", cluster_name(cluster).to_uppercase())
}

/// Its NetBox device is called the same.
pub fn node_name(node: u32) -> String {
    format!("{}-pve{:02}", cluster_name(cluster_of_node(node)), (node - 1) % NODES_OF_CLUSTER + 1)
}

/// How many storages of a cluster are shared and enabled: the same in all.
pub fn shared_and_enabled() -> u32 {
    let all = 0..STORAGES_OF_CLUSTER;
    all.filter(|&place| storage::Kind::of(place).shared() && storage::enabled(place)).count() as u32
}
