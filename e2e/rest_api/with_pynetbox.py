"""pynetbox, NetBox's own client: plugins are its `nb.plugins.proxbox`."""

import pynetbox

from .report import Checks, raises, same
from .server import ADMIN, ADMIN_V2, READ_ONLY

checks = Checks()


def connect(server, token=ADMIN, **more):
    return pynetbox.api(server.url, token=token, **more)


def ids(records):
    return sorted(record.id for record in records)


@checks
def both_kinds_of_tokens(server):
    for token in (ADMIN, ADMIN_V2, READ_ONLY):
        same(connect(server, token).plugins.proxbox.clusters.count(), 5)
    error = raises(pynetbox.RequestError, connect(server, "0" * 40).plugins.proxbox.clusters.count)
    same(error.req.status_code, 403)


@checks
def version_and_status(server):
    nb = connect(server)
    # It decides by the version what it may ask for.
    same(nb.version, "4.5")
    status = nb.status()
    same(status["netbox-version"].split(".")[:2], ["4", "5"])
    same(list(status["plugins"]), ["netbox_proxbox"])


@checks
def all_of_each(server):
    for threading in (False, True):
        for pagination in ("offset", "cursor"):
            nb = connect(server, threading=threading, pagination=pagination)
            proxbox = nb.plugins.proxbox
            for endpoint, count in [
                (proxbox.clusters, 5),
                (proxbox.nodes, 14),
                (proxbox.storage, 25),
                # Names of later versions; pynetbox turns the underscore into a dash.
                (proxbox.proxmox_clusters, 5),
                (proxbox.proxmox_nodes, 14),
                (getattr(proxbox, "endpoints/proxmox"), 3),
                (nb.virtualization.clusters, 6),
                (nb.dcim.devices, 12),
                (nb.extras.tags, 3),
            ]:
                whole = ids(endpoint.all())
                same((endpoint.url, len(set(whole)), len(whole)), (endpoint.url, count, count))
                same((endpoint.count(), len(endpoint.all())), (count, count))
                for limit in (1, 3, 100):
                    same((endpoint.url, ids(endpoint.all(limit=limit))), (endpoint.url, whole))
                same(len(list(endpoint.all(limit=2, offset=1))), 2)


@checks
def filters(server):
    proxbox = connect(server).plugins.proxbox
    for endpoint, query, wanted in [
        (proxbox.clusters, {"mode": "cluster"}, [1, 3, 5]),
        (proxbox.clusters, {"mode": ["cluster", "undefined"]}, [1, 3, 4, 5]),
        (proxbox.clusters, {"id": [1, 2]}, [1, 2]),
        (proxbox.clusters, {"name__ic": "CLUSTER"}, [1, 3]),
        (proxbox.clusters, {"name__n": ["alone", "Beta"]}, [1, 3, 4]),
        (proxbox.clusters, {"netbox_cluster": None}, [2, 5]),
        (proxbox.clusters, {"netbox_cluster_id": [5, "null"]}, [1, 2, 5]),
        (proxbox.clusters, {"quorate": True}, [1, 5]),
        (proxbox.clusters, {"id__lte": 2}, [1, 2]),
        (proxbox.clusters, {"tag": ["prod", "test-env"]}, [3]),
        (proxbox.clusters, {"tag": "null"}, [1, 5]),
        (proxbox.clusters, {"q": "abc"}, [1, 5]),
        (proxbox.nodes, {"endpoint_id": 3}, [11, 12, 13]),
        (proxbox.nodes, {"endpoint": [1, 3], "online": False}, [3, 11, 13]),
        (proxbox.nodes, {"name": "abc\\def'\"q"}, [14]),
        (proxbox.nodes, {"name__regex": "^lab.0[12]$"}, [5, 6]),
        (proxbox.nodes, {"ip_address": "10.0.0.11"}, [2]),
        (proxbox.nodes, {"netbox_device_id": 42}, [1]),
        (proxbox.storage, {"cluster__name": "prod-cluster", "shared": False}, [1, 2]),
        (proxbox.storage, {"cluster__name": ["edge_50%", "Ünïcode Clüster"]}, [19, 20, 21, 22, 23, 24]),
        (proxbox.storage, {"storage_type": ["btrfs", "iscsi"]}, [12, 13, 14]),
        (proxbox.storage, {"storage_type": None}, [24]),
        (proxbox.storage, {"storage_type__empty": "true"}, [24]),
        (proxbox.storage, {"name__isw": "SPË"}, [21, 22]),
        (proxbox.storage, {"name": "100%full"}, [17]),
    ]:
        same((query, ids(endpoint.filter(**query))), (query, wanted))
        same((query, ids(endpoint.filter(limit=2, **query))), (query, wanted))
        if None not in query.values():
            same((query, endpoint.count(**query)), (query, len(wanted)))
    same(ids(proxbox.nodes.filter("pve-node")), [1, 2, 3])
    error = raises(pynetbox.RequestError, lambda: list(proxbox.nodes.filter(endpoint_id=99)))
    same((error.req.status_code, list(error.req.json())), (400, ["endpoint_id"]))


@checks
def filters_that_the_document_knows(server):
    """With `strict_filters` it reads the OpenAPI document, without a token, and refuses what that does not name."""
    nb = connect(server, strict_filters=True)
    proxbox = nb.plugins.proxbox
    same(ids(proxbox.nodes.filter(name__ic="LAB-", endpoint_id=[2, 3], online=True)), [5, 6])
    same(ids(proxbox.clusters.filter("abc", tag__n="prod", netbox_cluster_id=5, ordering="name")), [1])
    same(
        ids(proxbox.storage.filter(cluster__name="dr-cluster", shared="true", last_updated__gt="2026-01-01")), [15, 16]
    )
    same(ids(nb.extras.tags.filter(slug=["prod", "unicode"])), [1, 3])
    error = raises(pynetbox.ParameterValidationError, lambda: proxbox.nodes.filter(nothing=1))
    same("'nothing' is not allowed" in str(error), True)


@checks
def one_by_number_or_filter(server):
    proxbox = connect(server).plugins.proxbox
    same(proxbox.nodes.get(1).name, "pve-node-01")
    same(proxbox.nodes.get(99), None)
    same(proxbox.nodes.get(name="nobody"), None)
    same(proxbox.storage.get(name="local", cluster_id=1).id, 9)
    raises(ValueError, lambda: proxbox.storage.get(name="local"))


@checks
def nested_objects_know_their_details(server):
    proxbox = connect(server).plugins.proxbox
    cluster = proxbox.clusters.get(1)
    same((str(cluster.netbox_cluster), cluster.netbox_cluster.full_details()), ("prod-cluster", True))
    same(cluster.netbox_cluster.endpoint.url.partition("/api/")[2], "virtualization/clusters")
    node = proxbox.nodes.get(1)
    same((str(node.netbox_device), node.netbox_device.full_details()), ("pve-node-01", True))
    same((node.proxmox_cluster.full_details(), node.proxmox_cluster.cluster_id), (True, "abc123"))
    # pynetbox keeps where a record comes from in `endpoint`, until a field of this name takes its place.
    endpoint = node.endpoint
    same((endpoint.full_details(), endpoint.domain, endpoint.port), (True, "proxmox.example.com", 8006))
    same(str(endpoint.mode), "Cluster")
    # What a nested object lacks is fetched when it is asked for.
    same(proxbox.nodes.get(5).proxmox_cluster.cluster_id, "LAB_01%")


@checks
def choices(server):
    proxbox = connect(server).plugins.proxbox
    same(
        proxbox.clusters.choices()["mode"],
        [
            {"value": "undefined", "display": "Undefined"},
            {"value": "standalone", "display": "Standalone"},
            {"value": "cluster", "display": "Cluster"},
        ],
    )
    same(proxbox.storage.choices(), {})


@checks
def create_and_delete(server):
    proxbox = connect(server).plugins.proxbox
    cluster = proxbox.clusters.create(endpoint=1, name="made", mode="cluster", netbox_cluster={"name": "lab-cluster"})
    same((str(cluster.mode), cluster.netbox_cluster.id, cluster.quorate), ("Cluster", 1, False))
    node = proxbox.nodes.create(endpoint={"id": 1}, name="made", ip_address="2001:DB8::1", proxmox_cluster=cluster.id)
    same((node.ip_address, node.proxmox_cluster.name), ("2001:db8::1", "made"))
    same(proxbox.nodes.delete([node]), True)
    same(proxbox.clusters.delete([cluster.id]), True)
    same((proxbox.nodes.get(node.id), proxbox.clusters.get(cluster.id)), (None, None))


@checks
def a_record_saves_what_changed(server):
    nb = connect(server)
    storage = nb.plugins.proxbox.storage.create(cluster=6, name="saved", content="iso", raw_config={"b": 1, "a": 2})
    same(storage.save(), False)
    storage.content = "iso,backup"
    storage.port = 2049
    storage.custom_fields["owner"] = "me"
    same((storage.save(), storage.port), (True, 2049))
    same(storage.update({"cluster": 5}), True)
    again = nb.plugins.proxbox.storage.get(storage.id)
    same((again.content, again.port, again.cluster.name), ("iso,backup", 2049, "prod-cluster"))
    # It makes a record of every JSON object.
    same(dict(again.raw_config), {"b": 1, "a": 2})
    same(again.custom_fields, {"owner": "me"})
    before = server.changes()
    same((again.save(), server.changes()), (False, before))
    same((again.delete(), nb.plugins.proxbox.storage.get(storage.id)), (True, None))


@checks
def a_field_named_endpoint_is_in_the_way(server):
    """pynetbox takes it for its own, with the plugin too: such records change by their list."""
    proxbox = connect(server).plugins.proxbox
    node = proxbox.nodes.get(2)
    level = node.support_level
    node.support_level = "p"
    same(node.updates(), {"support_level": "p"})
    changed = proxbox.nodes.update([node])
    same([(one.id, one.support_level) for one in changed], [(2, "p")])
    changed = proxbox.nodes.update([{"id": 2, "support_level": level}])
    same(changed[0].support_level, level)


@checks
def many_at_once(server):
    proxbox = connect(server).plugins.proxbox
    made = proxbox.storage.create([{"cluster": 6, "name": f"bulk-{number}"} for number in range(12)])
    same([one.name for one in made], [f"bulk-{number}" for number in range(12)])
    same(proxbox.storage.count(name__isw="bulk-"), 12)
    changed = proxbox.storage.update([{"id": one.id, "pool": "p"} for one in made])
    same({one.pool for one in changed}, {"p"})
    changed = proxbox.storage.filter(name__isw="bulk-", limit=5).update(shared=True)
    same([one.shared for one in changed], [True] * 12)
    # Records, numbers, and whatever a filter finds.
    same(proxbox.storage.delete(made[:2]), True)
    same(proxbox.storage.delete([one.id for one in made[2:4]]), True)
    same(proxbox.storage.filter(name__isw="bulk-").delete(), True)
    same(proxbox.storage.count(name__isw="bulk-"), 0)
    error = raises(
        pynetbox.RequestError, lambda: proxbox.storage.create([{"cluster": 6, "name": "ok"}, {"cluster": 6}])
    )
    same((error.req.status_code, [list(one) for one in error.req.json()]), (400, [[], ["name"]]))
    same(proxbox.storage.get(name="ok"), None)


@checks
def tags(server):
    nb = connect(server)
    same(sorted(tag.slug for tag in nb.extras.tags.all()), ["prod", "test-env", "unicode"])
    same((nb.extras.tags.get(slug="test-env").name, nb.extras.tags.get(2).color), ("Test Env", "9e9e9e"))
    storage = nb.plugins.proxbox.storage
    made = storage.create(cluster=6, name="tagged", tags=[{"slug": "prod"}, 2])
    same(sorted(tag.slug for tag in made.tags), ["prod", "test-env"])
    same([one.name for one in storage.filter(tag=["prod", "test-env"], cluster_id=6)], ["tagged"])
    same([one.name for one in storage.filter(tag_id=1, cluster_id=6)], ["tagged"])
    made.tags = [{"name": "Ünïcode"}]
    same((made.save(), [tag.slug for tag in made.tags]), (True, ["unicode"]))
    made.tags.append(nb.extras.tags.get(slug="prod"))
    same((made.save(), sorted(tag.slug for tag in storage.get(made.id).tags)), (True, ["prod", "unicode"]))
    error = raises(pynetbox.RequestError, lambda: made.update({"tags": [{"slug": "nobody"}]}))
    same((error.req.status_code, list(error.req.json())), (400, ["tags"]))
    same(made.delete(), True)


@checks
def errors_name_the_field(server):
    proxbox = connect(server).plugins.proxbox
    for create, fields in [
        (lambda: proxbox.clusters.create(endpoint=1), ["mode", "name"]),
        (lambda: proxbox.clusters.create(endpoint=99, name="x", mode="cluster"), ["endpoint"]),
        (lambda: proxbox.clusters.create(endpoint=1, name="x", mode="odd"), ["mode"]),
        (lambda: proxbox.clusters.create(endpoint=1, name="pve-cluster", mode="cluster"), ["__all__"]),
        (lambda: proxbox.nodes.create(endpoint=1, name="x", ip_address="10.0.0.300"), ["ip_address"]),
        (lambda: proxbox.nodes.update([{"id": 1, "max_cpu": "many"}]), ["max_cpu"]),
        (lambda: proxbox.storage.get(1).update({"port": -(10**12)}), ["port"]),
        (lambda: proxbox.storage.get(1).update({"name": "x" * 300}), ["name"]),
    ]:
        error = raises(pynetbox.RequestError, create)
        same((error.req.status_code, sorted(error.req.json())), (400, fields))
        # What a user reads.
        same(fields[0] in str(error), True)
    error = raises(
        pynetbox.RequestError, lambda: connect(server, READ_ONLY).plugins.proxbox.storage.create(cluster=6, name="x")
    )
    same((error.req.status_code, list(error.req.json())), (403, ["detail"]))
    error = raises(pynetbox.RequestError, lambda: list(connect(server).plugins.nothing.here.all()))
    same(error.req.status_code, 404)
