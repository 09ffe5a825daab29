"""The examples of the plugin's documentation as they stand there, in a shell."""

import json
import subprocess

from .report import Checks, same
from .server import ADMIN, READ_ONLY

checks = Checks()

# Sends the documented host to the server, and adds the status behind the answer.
SHELL = """
curl() { command curl -sS --noproxy '*' --connect-to "netbox.example.com:80:$ADDRESS" -w '\\n%{http_code}' "$@"; }
"""
HOST = "http://netbox.example.com/api/"


def run(server, script, token=ADMIN):
    """The status of an answer, and the text of its body."""
    done = subprocess.run(
        ["bash", "-euc", SHELL + script.replace("<token>", token)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "ADDRESS": server.address},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode != 0:
        raise AssertionError(f"curl ended with {done.returncode}: {done.stderr}")
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def rows(server, script, count):
    """The rows of a list that must hold so many."""
    status, body = run(server, script)
    same(status, 200)
    answer = json.loads(body)
    same((answer["count"], len(answer["results"]), answer["next"]), (count, count, None))
    return answer["results"]


def object_of(server, script, keys):
    """An object that must have exactly these keys, in this order."""
    status, body = run(server, script)
    same(status, 200)
    answer = json.loads(body)
    same(" ".join(answer), " ".join(keys.split()))
    return answer


@checks
def all_clusters(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     http://netbox.example.com/api/plugins/proxbox/clusters/
""",
        5,
    )
    same(found[0]["name"], "Beta")


@checks
def clusters_by_mode(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     "http://netbox.example.com/api/plugins/proxbox/clusters/?mode=cluster"
""",
        3,
    )
    same([cluster["mode"] for cluster in found], [{"value": "cluster", "label": "Cluster"}] * 3)


@checks
def a_cluster_linked_to_a_netbox_cluster(server):
    # Another link before, so that the example changes something.
    server.ask("PATCH", "plugins/proxbox/clusters/1/", json={"netbox_cluster": None})
    cluster = object_of(
        server,
        """
curl -X PATCH \\
     -H "Authorization: Token <token>" \\
     -H "Content-Type: application/json" \\
     -d '{"netbox_cluster": 5}' \\
     http://netbox.example.com/api/plugins/proxbox/clusters/1/
""",
        """id url display endpoint netbox_cluster name cluster_id mode nodes_count node_count quorate version tags
        custom_fields created last_updated""",
    )
    url = HOST + "virtualization/clusters/5/"
    same(cluster["netbox_cluster"], {"id": 5, "url": url, "display": "prod-cluster", "name": "prod-cluster"})
    same(server.get("plugins/proxbox/clusters/1/")["netbox_cluster"]["id"], 5)


@checks
def nodes_of_an_endpoint(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     "http://netbox.example.com/api/plugins/proxbox/nodes/?endpoint_id=1"
""",
        5,
    )
    endpoint = {
        "id": 1,
        "url": HOST + "plugins/proxbox/endpoints/proxmox/1/",
        "display": "prod-proxmox (proxmox.example.com)",
        "name": "prod-proxmox",
    }
    same([node["endpoint"] for node in found], [endpoint] * 5)


@checks
def nodes_that_are_online(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     "http://netbox.example.com/api/plugins/proxbox/nodes/?online=true"
""",
        9,
    )
    same({node["online"] for node in found}, {True})


@checks
def a_node_linked_to_a_device(server):
    server.ask("PATCH", "plugins/proxbox/nodes/1/", json={"netbox_device": None})
    node = object_of(
        server,
        """
curl -X PATCH \\
     -H "Authorization: Token <token>" \\
     -H "Content-Type: application/json" \\
     -d '{"netbox_device": 42}' \\
     http://netbox.example.com/api/plugins/proxbox/nodes/1/
""",
        """id url display endpoint proxmox_cluster netbox_device name node_id ip_address online local cpu_usage
        cpu_usage_percent max_cpu memory_usage memory_usage_percent max_memory ssl_fingerprint support_level tags
        custom_fields created last_updated""",
    )
    url = HOST + "dcim/devices/42/"
    same(node["netbox_device"], {"id": 42, "url": url, "display": "pve-node-01", "name": "pve-node-01"})
    same((node["cpu_usage_percent"], node["memory_usage_percent"]), (12.5, 25.0))


@checks
def storages_of_a_cluster_by_name(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     "http://netbox.example.com/api/plugins/proxbox/storage/?cluster__name=prod-cluster"
""",
        8,
    )
    same({storage["cluster"]["name"] for storage in found}, {"prod-cluster"})


@checks
def storages_enabled_and_shared(server):
    found = rows(
        server,
        """
curl -H "Authorization: Token <token>" \\
     "http://netbox.example.com/api/plugins/proxbox/storage/?enabled=true&shared=true"
""",
        8,
    )
    same({(storage["enabled"], storage["shared"]) for storage in found}, {(True, True)})


@checks
def the_sample_of_a_storage(server):
    storage = object_of(
        server,
        'curl -H "Authorization: Token <token>" http://netbox.example.com/api/plugins/proxbox/storage/1/',
        """id url display cluster name storage_type content path nodes shared enabled server port username export share
        pool monhost namespace datastore subdir mountpoint is_mountpoint preallocation format prune_backups
        max_protected_backups raw_config tags custom_fields created last_updated""",
    )
    same(storage["raw_config"], {"thinpool": "data", "vgname": "pve"})
    same((storage["display"], storage["created"]), ("local-lvm", "2026-01-04T00:00:00Z"))


@checks
def every_documented_verb(server):
    path = "http://netbox.example.com/api/plugins/proxbox/storage/"
    auth = '-H "Authorization: Token <token>" -H "Content-Type: application/json"'
    status, body = run(server, f"""curl {auth} -X POST -d '{{"cluster": 6, "name": "curl"}}' {path}""")
    same(status, 201)
    url = json.loads(body)["url"]
    for verb, data, wanted in [
        ("POST", '{"cluster": 6, "name": "curl", "enabled": false}', 200),
        ("PUT", '{"cluster": 6, "name": "curl", "pool": "x"}', 200),
        ("PATCH", '{"port": 2049}', 200),
        ("PATCH", '{"port": "many"}', 400),
    ]:
        status, body = run(server, f"curl {auth} -X {verb} -d '{data}' {path if verb == 'POST' else url}")
        same((verb, status), (verb, wanted))
    same(list(json.loads(body)), ["port"])
    status, body = run(server, f"curl {auth} {url}")
    kept = json.loads(body)
    same((kept["enabled"], kept["pool"], kept["port"]), (False, "x", 2049))
    same(run(server, f"curl {auth} -X DELETE {url}"), (204, ""))
    same(run(server, f"curl {auth} {url}")[0], 404)


@checks
def tokens_that_may_not(server):
    url = "http://netbox.example.com/api/plugins/proxbox/clusters/"
    for token, verb, wanted in [
        (READ_ONLY, "GET", 200),
        (READ_ONLY, "DELETE", 403),
        ("0" * 40, "GET", 403),
        ("", "GET", 403),
    ]:
        status, body = run(server, f'curl -X {verb} -H "Authorization: Token <token>" {url}1/', token)
        same((token, verb, status), (token, verb, wanted))
        same("detail" in json.loads(body), wanted == 403)


@checks
def queries_as_people_type_them(server):
    # A URL may hold none of these, but browsers and curl send them as they are. `-g` leaves brackets alone.
    for query, count in [
        ('name="x"', 0),
        ('name=o\'brien%20"q"', 1),
        ("name=back\\slash", 1),
        ("name=Spëicher-ß", 1),
        ("name__ic=ß", 1),
        ("name=<x>|{y}^`z`[]", 0),
        ("name=100%full", 1),
        ("name=a&&name=local&", 2),
        ("", 25),
    ]:
        quoted = "'" + f"http://netbox.example.com/api/plugins/proxbox/storage/?{query}".replace("'", "'\\''") + "'"
        status, body = run(server, f'curl -g -H "Authorization: Token <token>" {quoted}')
        same((query, status), (query, 200))
        same((query, json.loads(body)["count"]), (query, count))


@checks
def a_lost_slash_is_followed(server):
    url = "'http://netbox.example.com/api/plugins/proxbox/clusters?mode=cluster'"
    status, body = run(server, f'curl -L -H "Authorization: Token <token>" {url}')
    same((status, json.loads(body)["count"]), (200, 3))
