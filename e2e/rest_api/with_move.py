"""From the plugin to this server, and both sides beside each other."""

from . import moving
from .report import Checks, same

checks = Checks()


@checks
def before_the_move_everything_is_there_only(scene):
    compared = scene.json("netbox", "compare", code=3)
    same(len(compared["kinds"]["proxmox_node"]["only_there"]), 14)
    same(compared["kinds"]["proxmox_node"]["only_here"], [])


@checks
def a_dry_run_tells_what_the_import_then_does(scene):
    planned = scene.json("import", "netbox", "--dry-run")
    same(scene.here.get("plugins/proxbox/nodes/")["count"], 0)
    # The server runs meanwhile.
    done = scene.json("import", "netbox")
    assert done["revision"] is not None
    same(done | {"revision": None, "dry_run": True}, planned)
    same({kind: counts["new"] for kind, counts in done["counts"].items()}, {
        "proxmox_endpoint": 3, "proxmox_cluster": 5, "proxmox_node": 14, "proxmox_storage": 25, "tag": 3,
    })
    same((done["left_out"], done["conflicts"], done["ignored_fields"]), ([], [], {}))


@checks
def both_sides_are_alike(scene):
    same(scene.json("netbox", "compare", "--figures", "--times", "--ids")["alike"], True)


@checks
def both_sides_answer_every_recorded_read_alike(scene):
    reads, unlike = 0, []
    for path, headers in moving.reads():
        reads += 1
        there, here = moving.ask(scene.there, path, headers), moving.ask(scene.here, path, headers)
        if there != here or there[0] >= 500:
            unlike.append(path)
    assert reads >= 850, reads
    same(unlike, [])


@checks
def a_second_import_writes_nothing(scene):
    before = scene.here.changes()
    same(scene.json("import", "netbox")["revision"], None)
    same(scene.here.changes(), before)


@checks
def secrets_are_given_by_the_commands_of_the_report(scene):
    needed = scene.json("import", "netbox", "--dry-run")["endpoints_without_secret"]
    same([endpoint["name"] for endpoint in needed][:2], ["prod-proxmox", "lab-proxmox"])
    for endpoint in needed:
        name, *arguments = endpoint["command"].split()
        same(name, "proxbox-graphql")
        scene.run(*arguments, stdin="canary\n")
    same(scene.json("import", "netbox", "--dry-run")["endpoints_without_secret"], [])


@checks
def what_changes_there_comes_over_with_the_next_import(scene):
    answer = scene.there.ask("PATCH", "plugins/proxbox/nodes/1/", json={"online": False, "tags": [{"slug": "prod"}]})
    same(answer.status_code, 200)
    compared = scene.json("netbox", "compare", code=3)
    same([row["id"] for row in compared["kinds"]["proxmox_node"]["different"]], [1])
    same(scene.json("import", "netbox")["counts"]["proxmox_node"]["changed"], 1)
    same(scene.here.get("plugins/proxbox/nodes/1/")["online"], False)
    same(scene.json("netbox", "compare")["alike"], True)
