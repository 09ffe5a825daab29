"""Scripts by requests and the standard library, as people write them against NetBox."""

import csv
import http.client
import io
import json
from concurrent.futures import ThreadPoolExecutor

from .report import Checks, same
from .server import ADMIN, READ_ONLY

checks = Checks()

# Without what the plugin does not write: NetBox's clusters, devices and tags are read here.
WRITTEN = ["clusters", "nodes", "storage", "endpoints/proxmox"]


def rows(server, path, **more):
    """All rows of a list, in pages."""
    found, page = [], server.get(path, **more)
    while True:
        found += page["results"]
        if page["next"] is None:
            same(len(found), page["count"])
            return found
        page = server.get(page["next"], **more)


def storage(to, **fields):
    return to.ask("POST", "plugins/proxbox/storage/", json={"cluster": 6} | fields)


@checks
def pages_hold_every_row_once(server):
    paths = [f"plugins/proxbox/{name}/" for name in WRITTEN]
    for path in paths + ["virtualization/clusters/", "dcim/devices/", "extras/tags/"]:
        whole = server.get(f"{path}?limit=0")["results"]
        for limit in (1, 4):
            found = rows(server, f"{path}?limit={limit}")
            same((path, [row["id"] for row in found]), (path, [row["id"] for row in whole]))


@checks
def putting_back_what_was_read_changes_nothing(server):
    before = server.changes()
    for name in WRITTEN:
        for row in rows(server, f"plugins/proxbox/{name}/?limit=3"):
            read = server.ask("GET", row["url"])
            same(read.json(), row)
            for method in ("PUT", "PATCH"):
                written = server.ask(method, row["url"], json=read.json())
                same((row["url"], method, written.status_code, written.text), (row["url"], method, 200, read.text))
                same(written.headers["ETag"], read.headers["ETag"])
            same(server.ask("GET", row["url"]).headers["ETag"], read.headers["ETag"])
    same(server.changes(), before)


@checks
def putting_back_a_whole_list_changes_nothing(server):
    before = server.changes()
    for name in WRITTEN:
        path = f"plugins/proxbox/{name}/"
        read = rows(server, path)
        for method in ("PUT", "PATCH"):
            written = server.ask(method, path, json=read)
            same((name, method, written.status_code), (name, method, 200))
            same(written.json(), read)
    same(server.changes(), before)


@checks
def an_upsert_is_idempotent(server):
    wanted = [
        {"cluster": 6, "name": f"upsert-{number}", "storage_type": "nfs", "content": "iso,backup", "shared": True,
         "server": "192.0.2.9", "export": f"/export/{number}", "raw_config": {"b": 1, "a": [number, None]},
         "tags": [{"slug": "prod"}]}
        for number in range(5)
    ]  # fmt: skip
    seen = []
    for status in (201, 200, 200):
        before = server.changes()
        answers = [storage(server, **one) for one in wanted]
        same([answer.status_code for answer in answers], [status] * 5)
        same("Location" in answers[0].headers, status == 201)
        seen.append([answer.json() for answer in answers])
        same(server.changes() - before, 5 if status == 201 else 0)
    same(seen[1], seen[0])
    same(seen[2], seen[0])
    # All at once is the same.
    before = server.changes()
    answer = server.ask("POST", "plugins/proxbox/storage/", json=wanted)
    same((answer.status_code, answer.json()), (200, seen[0]))
    same(server.changes(), before)
    # One that differs is changed, and only in what differs.
    answer = storage(server, name="upsert-0", enabled=False)
    same((answer.status_code, answer.json()["enabled"], answer.json()["server"]), (200, False, "192.0.2.9"))
    same(server.changes(), before + 1)
    gone = server.ask("DELETE", "plugins/proxbox/storage/", json=[{"id": row["id"]} for row in seen[0]])
    same(gone.status_code, 204)


@checks
def present_and_absent_as_ansible_does_it(server):
    """NetBox's Ansible modules look for one, compare, and write only what differs."""

    def present(wanted):
        keys = {"name": wanted["name"], "cluster_id": wanted["cluster"]}
        found = server.get("plugins/proxbox/storage/", params=keys)["results"]
        if not found:
            same(storage(server, **wanted).status_code, 201)
            return True
        is_now = found[0] | {"cluster": found[0]["cluster"]["id"]}
        differs = {key: value for key, value in wanted.items() if is_now[key] != value}
        if differs:
            same(server.ask("PATCH", found[0]["url"], json=differs).status_code, 200)
        return bool(differs)

    def absent(name):
        found = server.get("plugins/proxbox/storage/", params={"name": name, "cluster_id": 6})["results"]
        for row in found:
            same(server.ask("DELETE", row["url"]).status_code, 204)
        return bool(found)

    wanted = {"cluster": 6, "name": "ansible", "storage_type": "dir", "path": "/srv", "enabled": True}
    same([present(wanted), present(wanted)], [True, False])
    same([present(wanted | {"path": "/mnt"}), present(wanted | {"path": "/mnt"})], [True, False])
    same([absent("ansible"), absent("ansible")], [True, False])


@checks
def what_is_stale_is_refused(server):
    url = storage(server, name="stale").json()["url"]
    tag = server.ask("GET", url).headers["ETag"]
    same(server.ask("GET", url, headers={"If-None-Match": tag}).status_code, 304)
    same(server.ask("PATCH", url, json={"path": "/a"}, headers={"If-Match": tag}).status_code, 200)
    same(server.ask("PATCH", url, json={"path": "/b"}, headers={"If-Match": tag}).status_code, 412)
    same(server.ask("GET", url, headers={"If-None-Match": tag}).status_code, 200)
    same(server.ask("DELETE", url, headers={"If-Match": tag}).status_code, 412)
    same(server.get(url)["path"], "/a")
    same(server.ask("DELETE", url).status_code, 204)


@checks
def a_failing_bulk_changes_nothing(server):
    before = server.changes()
    for method, body in [
        ("POST", [{"cluster": 6, "name": "bulk"}, {"cluster": 6}]),
        ("PATCH", [{"id": 1, "path": "/x"}, {"id": 2, "port": "x"}]),
        ("DELETE", [{"id": 1}, {"no": 2}]),
    ]:
        same((method, server.ask(method, "plugins/proxbox/storage/", json=body).status_code), (method, 400))
    same(server.changes(), before)


@checks
def a_table_holds_what_json_holds(server):
    # Cells that a spreadsheet would run, and those that want quotes.
    names = ["=1+1", 'a,"b"\nc', "-x"]
    made = [storage(server, name=name, content="iso,vztmpl", tags=[1, 2]).json()["url"] for name in names]
    for query in ("", "?limit=4&offset=2", "?fields=id,name,tags", "?enabled=false"):
        path = f"plugins/proxbox/storage/{query}"
        answer = server.ask("GET", path, headers={"Accept": "text/csv"})
        same((answer.status_code, answer.headers["Content-Type"]), (200, "text/csv; charset=utf-8"))
        table = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
        # Without a limit all rows are sent.
        found = server.get(path)["results"] if "limit" in query else rows(server, path)
        same(table, [{key: cell(value) for key, value in row.items()} for row in found])
    for url in made:
        same(server.ask("DELETE", url).status_code, 204)


def cell(value):
    """How a value stands in a table."""
    if isinstance(value, list) and all(isinstance(tag, dict) for tag in value):
        return ",".join(tag["slug"] for tag in value)
    if isinstance(value, dict) and "url" in value:
        value = value["display"]
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") and value else value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@checks
def lines_hold_what_json_holds(server):
    for path in ["clusters/", "nodes/?online=true", "storage/", "storage/?ordering=-id&limit=7", "endpoints/proxmox/"]:
        answer = server.ask("GET", f"plugins/proxbox/{path}", headers={"Accept": "application/x-ndjson"})
        same((answer.status_code, answer.headers["Content-Type"]), (200, "application/x-ndjson"))
        lines = [json.loads(line) for line in answer.content.splitlines()]
        same(lines, server.get(f"plugins/proxbox/{path}")["results"])


@checks
def clients_that_leave_early_do_no_harm(server):
    many = [{"cluster": 6, "name": f"early-{number}", "raw_config": {"x": "y" * 1000}} for number in range(1000)]
    made = server.ask("POST", "plugins/proxbox/storage/", json=many)
    same(made.status_code, 201)

    def leave(accept):
        connection = http.client.HTTPConnection(server.address, timeout=20)
        headers = {"Accept": accept, "Authorization": f"Token {ADMIN}"}
        connection.request("GET", "/api/plugins/proxbox/storage/", headers=headers)
        answer = connection.getresponse()
        same((answer.status, len(answer.read(100))), (200, 100))
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(leave, ("text/csv", "application/x-ndjson") * 20))
    # More of them than the pool has connections, and yet there is one for everybody.
    same(server.get("plugins/proxbox/storage/?limit=1")["count"], 1025)
    answer = server.ask("GET", "plugins/proxbox/storage/", headers={"Accept": "application/x-ndjson"})
    same(len(answer.content.splitlines()), 1025)
    gone = server.ask("DELETE", "plugins/proxbox/storage/", json=[{"id": row["id"]} for row in made.json()])
    same(gone.status_code, 204)


@checks
def a_reader_may_read_and_not_write(server):
    for name in WRITTEN:
        path = f"plugins/proxbox/{name}/"
        row = server.get(path, token=READ_ONLY)["results"][0]
        for method, where in [("POST", path), ("PATCH", path), ("DELETE", path), ("PUT", row["url"])]:
            same((method, where, server.ask(method, where, token=READ_ONLY, json=[]).status_code), (method, where, 403))


@checks
def writers_at_once_lose_nothing(server):
    """An upsert of the same key from several sides makes one row; nobody is told of a conflict."""

    def write(port):
        return storage(server, name="at once", port=port).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(write, range(30)))
    same(sorted(statuses), [200] * 29 + [201])
    found = server.get("plugins/proxbox/storage/", params={"name": "at once"})["results"]
    same(len(found), 1)
    same(server.ask("DELETE", found[0]["url"]).status_code, 204)
