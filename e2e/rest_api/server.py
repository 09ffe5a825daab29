"""A server with the rows of tests/data/seed.json."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import requests

from . import postgres

SEED = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data" / "seed.json"

# Tokens of the seed.
ADMIN = "0123456789abcdef0123456789abcdef01234567"
ADMIN_V2 = "nbt_oraclekey001.abcdefghijklmnopqrstuvwxyz0123456789ABCD"
READ_ONLY = "1" * 40


@dataclasses.dataclass
class Server:
    """Where it listens, a token that may do everything, and ways to ask it."""

    address: str
    token: str = ADMIN

    @property
    def url(self):
        return f"http://{self.address}"

    def ask(self, method, path, token=None, **more):
        """An answer by requests; the path may be a whole url, as answers hold them."""
        url = path if path.startswith("http") else f"{self.url}/api/{path}"
        headers = {"Authorization": f"Token {token or self.token}"} | more.pop("headers", {})
        return requests.request(method, url, headers=headers, timeout=20, allow_redirects=False, **more)

    def get(self, path, **more):
        """The JSON of an answer that must be a good one."""
        answer = self.ask("GET", path, **more)
        if answer.status_code != 200:
            raise AssertionError(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def changes(self):
        """How many changes there have been."""
        query = (
            "query ($after: String) { changes(first: 1000, after: $after) { nodes { kind } pageInfo { endCursor } } }"
        )
        total, after = 0, None
        while True:
            body = {"query": query, "variables": {"after": after}}
            answer = requests.post(
                f"{self.url}/graphql", json=body, headers={"Authorization": f"Token {self.token}"}, timeout=20
            )
            changes = answer.json()["data"]["changes"]
            if not changes["nodes"]:
                return total
            total += len(changes["nodes"])
            after = changes["pageInfo"]["endCursor"]


def arguments(about):
    """What all runners are told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--bin", required=True, help="the built server")
    parser.add_argument(
        "--database",
        default="sqlite",
        help="sqlite (the default) and postgres are thrown away; or the postgres:// URL of an empty database",
    )
    parser.add_argument("--log", help="where to keep the server's log, which is thrown away otherwise")
    return parser


@contextlib.contextmanager
def running(told, more=None):
    """A server that runs until the end, as the arguments and these variables tell it."""
    program = told.bin
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proxbox-rest-")))
        environment = settings(stack.enter_context(database(told, folder))) | (more or {})
        address = environment["PROXBOX_LISTEN"]
        log = pathlib.Path(told.log) if told.log else folder / "log"
        with log.open("w") as output:
            subprocess.run([program, "load", SEED], env=environment, stderr=output, check=True)
            process = subprocess.Popen([program, "serve"], env=environment, stdout=output, stderr=output)
        try:
            wait(f"http://{address}/healthz", process)
            yield Server(address)
            if process.poll() is not None:
                raise RuntimeError("the server is gone")
            # Panics are caught and answered, but stand in the log.
            if "panic" in log.read_text():
                raise RuntimeError("the server's log tells of a panic")
        except BaseException:
            print("the end of the server's log:", *log.read_text().splitlines()[-20:], sep="\n")
            raise
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def database(told, folder):
    """The URL of the database that the arguments name."""
    if told.database == "sqlite":
        yield f"sqlite://{folder}/proxbox.db?mode=rwc"
    elif told.database == "postgres":
        with postgres.throwaway() as url:
            yield url
    else:
        yield told.database


def settings(url):
    """The environment of the program: nothing of the caller's settings, and no proxy."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROXBOX_")}
    return environment | {
        "PROXBOX_DATABASE_URL": url,
        "PROXBOX_SECRET_KEY": "for tests only, and long enough for it",
        "PROXBOX_LISTEN": f"127.0.0.1:{free_port()}",
        # Endpoints are made up, and nobody's to ask; or asked when a test says so.
        "PROXBOX_SYNC_INTERVAL": "0",
    }


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait(url, process):
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")
