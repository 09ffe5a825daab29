"""A cluster and a standalone host, by ../pve.mjs, and the program with an empty database."""

import contextlib
import json
import pathlib
import ssl
import subprocess
import tempfile
import urllib.request

from . import server

STAND_IN = pathlib.Path(__file__).resolve().parents[1] / "pve.mjs"


class Proxmox:
    """One that runs, with what it says of itself: host, port, fingerprint, token and secret."""

    def __init__(self, process):
        self.process = process
        self.told = json.loads(process.stdout.readline())

    def hits(self):
        """How often each path of the API was asked until now."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        url = f"https://{self.told['host']}:{self.told['port']}/hits"
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return {path.removeprefix("/api2/json"): count for path, count in json.load(answer).items()}


class Scene:
    """The program's commands and, once it serves, its API."""

    def __init__(self, program, environment, cluster, host):
        self.program, self.environment = program, environment
        self.cluster, self.host = cluster, host
        self.server = None

    def run(self, *arguments, stdin="", code=0):
        """What a command prints, which must end with this code."""
        ended = subprocess.run(
            [self.program, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, timeout=120
        )
        for text in (ended.stdout, ended.stderr):
            assert self.cluster.told["secret"] not in text, "the secret is shown"
        assert ended.returncode == code, f"{arguments}: {ended.returncode} {ended.stdout} {ended.stderr}"
        return ended.stdout if code == 0 else ended.stdout + ended.stderr

    def add(self, name, proxmox, *more, code=0):
        """`endpoint add` with the token of the stand-in."""
        told = proxmox.told
        user, token = told["token"].split("!")
        where = ["endpoint", "add", name, told["host"], "--port", str(told["port"])]
        who = ["--username", user, "--token-name", token, "--token-stdin"]
        return self.run(*where, *who, *more, stdin=told["secret"] + "\n", code=code)

    def sync(self, *more):
        return json.loads(self.run("sync", "--json", *more))


@contextlib.contextmanager
def scene(told):
    """All of it, until the end."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proxbox-sync-")))
        environment = server.settings(stack.enter_context(server.database(told, folder)))
        environment["PROXBOX_SYNC_ALLOW_LOOPBACK"] = "true"
        scene = Scene(told.bin, environment, *(stack.enter_context(stand_in(name)) for name in SITUATIONS))
        yield stack.enter_context(serving(scene, folder))


SITUATIONS = ("pve8-cluster", "pve9-standalone")


@contextlib.contextmanager
def stand_in(situation):
    process = subprocess.Popen(["node", STAND_IN, situation, "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield Proxmox(process)
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def serving(scene, folder):
    """The scene with a server on its database that waits to be asked, and a token for it."""
    token = scene.run("token", "create", "e2e").strip()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([scene.program, "serve"], env=scene.environment, stdout=log, stderr=log)
    try:
        address = scene.environment["PROXBOX_LISTEN"]
        server.wait(f"http://{address}/healthz", process)
        scene.server = server.Server(address, token)
        yield scene
    finally:
        process.terminate()
        process.wait(30)
