"""From nothing to the rows of a cluster and a host, and what that costs them."""

from .report import Checks, same

checks = Checks()

EVERY_RUN = ["/access/permissions", "/cluster/status", "/nodes", "/storage", "/version"]
IDENTITY = "0f2b5c1e-7d43-4f0a-9b52-3d1f6a7c9e10"


def rows(scene, path):
    return scene.server.get(f"plugins/proxbox/{path}/?limit=0")["results"]


@checks
def nothing_is_stored_before_the_certificate_is_accepted(scene):
    shown = scene.cluster.told["fingerprint"]
    assert shown in scene.add("prod", scene.cluster, code=1)
    assert shown in scene.add("prod", scene.cluster, "--fingerprint", ":".join(["AB"] * 32), code=1)
    same(rows(scene, "endpoints/proxmox"), [])
    same(scene.cluster.hits(), {})


@checks
def endpoints_are_added_after_being_asked(scene):
    told = scene.add("prod", scene.cluster, "--fingerprint", scene.cluster.told["fingerprint"])
    assert "cluster prod, nodes: 3, quorate" in told and "added endpoint prod" in told, told
    assert "the standalone host pve9" in scene.add("lab", scene.host, "--yes")
    assert "FAILED" not in scene.run("endpoint", "check", "prod")


@checks
def a_dry_run_tells_what_the_run_then_does(scene):
    def changes(document):
        for run in document["runs"]:
            same(run["state"], "succeeded")
            for change in run["changes"]:
                fields = {name: value for name, value in change["fields"].items() if name != "metrics_at"}
                yield run["endpoint"]["name"], change["object_type"], change["name"], change["action"], fields

    planned = list(changes(scene.sync("--dry-run")))
    same(rows(scene, "nodes"), [])
    same(list(changes(scene.sync())), planned)


@checks
def the_cluster_and_the_host_are_there(scene):
    clusters = {row["name"]: row for row in rows(scene, "clusters")}
    same(sorted(clusters), ["prod", "pve9"])
    prod, alone = clusters["prod"], clusters["pve9"]
    same((prod["mode"]["value"], prod["nodes_count"], prod["quorate"], prod["version"]), ("cluster", 3, True, 5))
    same((prod["cluster_id"], prod["netbox_cluster"]), (IDENTITY, None))
    same((alone["mode"]["value"], alone["nodes_count"], alone["version"]), ("standalone", 1, None))
    endpoints = {row["name"]: row for row in rows(scene, "endpoints/proxmox")}
    same((endpoints["prod"]["version"], endpoints["lab"]["version"]), ("8.4.14", "9.1.9"))


@checks
def the_nodes_are_there_with_their_figures(scene):
    nodes = {row["name"]: row for row in rows(scene, "nodes")}
    same(sorted(nodes), ["pve1", "pve2", "pve3", "pve9"])
    one, three = nodes["pve1"], nodes["pve3"]
    same((one["node_id"], one["ip_address"], one["online"], one["local"]), (1, "10.0.0.11", True, True))
    same((one["cpu_usage"], one["max_cpu"], one["max_memory"]), (12.53, 32, 68_719_476_736))
    same((three["online"], three["cpu_usage"], three["ip_address"]), (False, None, "10.0.0.13"))
    same(nodes["pve9"]["proxmox_cluster"], None)


@checks
def the_storages_are_there_from_the_first_sync_on(scene):
    storages = rows(scene, "storage")
    same(len(storages), 16)
    same({row["cluster"]["name"] for row in storages}, {"prod", "pve9"})
    assert all(row["cluster"]["id"] >= 1_000_000_000 for row in storages)
    nfs = next(row for row in storages if row["name"] == "nfs-iso")
    same((nfs["storage_type"], nfs["content"], nfs["shared"]), ("nfs", "iso,vztmpl", True))


@checks
def the_next_run_takes_five_requests_and_six_and_writes_nothing(scene):
    before, changes = (scene.cluster.hits(), scene.host.hits()), scene.server.changes()
    for run in scene.sync()["runs"]:
        same((run["state"], run["changes"], run["revision"]), ("succeeded", [], None))
    for proxmox, old, more in [(scene.cluster, before[0], []), (scene.host, before[1], ["/cluster/config/join"])]:
        new = {path: count - old.get(path, 0) for path, count in proxmox.hits().items()}
        same(sorted(path for path, count in new.items() for _ in range(count)), sorted(EVERY_RUN + more))
    same(scene.server.changes(), changes)
