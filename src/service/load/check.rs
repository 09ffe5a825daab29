//! What must hold across the rows of a file.
use super::super::file::File;
use super::super::{file, rules};
use super::counts;
use crate::entity::{Kind, tag_assignment};
use crate::error::{Error, Result};
use sea_orm::Set;
use serde_json::Value;
use std::collections::HashSet;

/// What holds across rows: ids and natural keys once each, references that lead somewhere.
pub(super) struct Known {
    pub(super) rows: u64,
    pub(super) assignments: Vec<tag_assignment::ActiveModel>,
}

impl Known {
    pub(super) fn check(file: &File) -> Result<Self> {
        let tags = ids("tags", file.tags.iter().map(|row| row.id))?;
        let netbox_clusters = ids("netbox_clusters", file.netbox_clusters.iter().map(|row| row.id))?;
        let devices = ids("netbox_devices", file.netbox_devices.iter().map(|row| row.id))?;
        let endpoints = ids("proxmox_endpoints", file.proxmox_endpoints.iter().map(|row| row.id))?;
        let clusters = ids("proxmox_clusters", file.proxmox_clusters.iter().map(|row| row.id))?;
        ids("proxmox_nodes", file.proxmox_nodes.iter().map(|row| row.id))?;
        ids("proxmox_storages", file.proxmox_storages.iter().map(|row| row.id))?;
        unique("tags", "name", file.tags.iter().map(|row| &row.name))?;
        unique("tags", "slug", file.tags.iter().map(|row| &row.slug))?;
        unique("tokens", "name", file.tokens.iter().map(|row| &row.name))?;
        unique("proxmox_endpoints", "name", file.proxmox_endpoints.iter().map(endpoint_key))?;
        unique("proxmox_clusters", "name", file.proxmox_clusters.iter().map(|row| (row.endpoint, &row.name)))?;
        unique("proxmox_nodes", "name", file.proxmox_nodes.iter().map(|row| (row.endpoint, &row.name)))?;
        unique("proxmox_storages", "name", file.proxmox_storages.iter().map(|row| (row.cluster, &row.name)))?;
        for (i, row) in file.proxmox_clusters.iter().enumerate() {
            refers(&endpoints, Some(row.endpoint), "proxmox_clusters", i, "endpoint")?;
            refers(&netbox_clusters, row.netbox_cluster, "proxmox_clusters", i, "netbox_cluster")?;
            refers(&netbox_clusters, row.local_cluster, "proxmox_clusters", i, "local_cluster")?;
        }
        for (i, row) in file.proxmox_nodes.iter().enumerate() {
            refers(&endpoints, Some(row.endpoint), "proxmox_nodes", i, "endpoint")?;
            refers(&clusters, row.proxmox_cluster, "proxmox_nodes", i, "proxmox_cluster")?;
            refers(&devices, row.netbox_device, "proxmox_nodes", i, "netbox_device")?;
        }
        for (i, row) in file.proxmox_storages.iter().enumerate() {
            refers(&netbox_clusters, Some(row.cluster), "proxmox_storages", i, "cluster")?;
            refers(&clusters, row.source, "proxmox_storages", i, "source")?;
        }
        let lists = counts(file);
        let rows = lists.as_object().into_iter().flat_map(|lists| lists.values()).filter_map(Value::as_u64).sum();
        let mut known = Self { rows, assignments: Vec::new() };
        let tagged = file.proxmox_endpoints.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Endpoint, "proxmox_endpoints", tagged)?;
        let tagged = file.proxmox_clusters.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Cluster, "proxmox_clusters", tagged)?;
        let tagged = file.proxmox_nodes.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Node, "proxmox_nodes", tagged)?;
        let tagged = file.proxmox_storages.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Storage, "proxmox_storages", tagged)?;
        Ok(known)
    }

    fn assign<'a>(
        &mut self,
        known: &HashSet<i32>,
        kind: Kind,
        list: &str,
        rows: impl Iterator<Item = (i32, &'a Vec<i32>)>,
    ) -> Result<()> {
        for (i, (object_id, tags)) in rows.enumerate() {
            let mut seen = HashSet::new();
            for (j, tag_id) in tags.iter().enumerate() {
                let at = |error: Error| error.within(j.to_string()).within("tags").within(i.to_string()).within(list);
                if !known.contains(tag_id) {
                    return Err(at(Error::input(format!("there is no tag {tag_id} in this file"))));
                }
                if !seen.insert(tag_id) {
                    return Err(at(Error::input(format!("tag {tag_id} is there twice"))));
                }
                self.assignments.push(tag_assignment::ActiveModel {
                    object_type: Set(kind.table().to_owned()),
                    object_id: Set(object_id),
                    tag_id: Set(*tag_id),
                });
            }
        }
        Ok(())
    }
}

/// The host counts as the database's unique index has it.
fn endpoint_key(row: &file::Endpoint) -> (&str, String) {
    let address = row.ip_address.as_deref().filter(|address| !address.is_empty());
    let host = match address {
        Some(address) => rules::loaded_address(address).unwrap_or_else(|_| address.to_owned()),
        None => row.domain.clone().unwrap_or_default(),
    };
    (&row.name, host)
}

fn ids(list: &str, rows: impl Iterator<Item = i32>) -> Result<HashSet<i32>> {
    let mut seen = HashSet::new();
    for (i, id) in rows.enumerate() {
        let message = match id {
            ..=0 => "must be positive".to_owned(),
            // Another one must be able to follow.
            i32::MAX => "is too large".to_owned(),
            id if !seen.insert(id) => format!("{id} is there twice"),
            _ => continue,
        };
        return Err(Error::input(message).within("id").within(i.to_string()).within(list));
    }
    Ok(seen)
}

fn unique<T: std::hash::Hash + Eq>(list: &str, field: &str, keys: impl Iterator<Item = T>) -> Result<()> {
    let mut seen = HashSet::new();
    for (i, key) in keys.enumerate() {
        if !seen.insert(key) {
            return Err(Error::input("is there twice").within(field).within(i.to_string()).within(list));
        }
    }
    Ok(())
}

fn refers(known: &HashSet<i32>, id: Option<i32>, list: &str, i: usize, field: &str) -> Result<()> {
    match id {
        Some(id) if !known.contains(&id) => {
            let error = Error::input(format!("refers to {id}, which this file does not hold"));
            Err(error.within(field).within(i.to_string()).within(list))
        }
        _ => Ok(()),
    }
}
