"""Two servers: one with the rows of the seed, which plays NetBox and its plugin, and one to move to."""

import argparse
import contextlib
import http.client
import json
import pathlib
import subprocess
import tempfile
import urllib.parse

from . import server

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data" / "golden"
TOKENS = json.loads((GOLDEN.parent / "tokens.json").read_text())
# The names that the corpus was recorded under.
HOST = "netbox.example.com"


class Scene:
    """The commands of the new side, and both servers."""

    def __init__(self, program, environment, there, here):
        self.program, self.environment = program, environment
        self.there, self.here = there, here

    def run(self, *arguments, stdin="", code=0):
        """What a command prints, which must end with this code and must not show the token."""
        ended = subprocess.run(
            [self.program, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, timeout=120
        )
        assert server.ADMIN not in ended.stdout + ended.stderr, "the token is shown"
        assert ended.returncode == code, f"{arguments}: {ended.returncode} {ended.stdout} {ended.stderr}"
        return ended.stdout

    def json(self, *arguments, code=0):
        return json.loads(self.run(*arguments, "--json", code=code))


def reads():
    """The recorded requests that read: path and headers."""
    for file in sorted(GOLDEN.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            request = json.loads(line)["request"]
            if request["method"] == "GET":
                headers = {name: TOKENS.get(value, value) for name, value in request["headers"].items()}
                yield request["path"], headers | {"Host": HOST}


def ask(side, path, headers):
    """Status and body of an answer. The headers are the recorded ones, which clients would tidy up."""
    connection = http.client.HTTPConnection(side.address, timeout=20)
    with contextlib.closing(connection):
        target = urllib.parse.quote(path, safe="/?&=%:+,;@!$'()*[]~-._")
        connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value.encode())
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


@contextlib.contextmanager
def scene(told):
    """All of it, until the end."""
    with contextlib.ExitStack() as stack:
        plugin = argparse.Namespace(**vars(told) | {"database": "sqlite", "log": None})
        there = stack.enter_context(server.running(plugin))
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proxbox-move-")))
        environment = server.settings(stack.enter_context(server.database(told, folder)))
        environment |= {"PROXBOX_NETBOX_URL": there.url, "PROXBOX_NETBOX_TOKEN": server.ADMIN}
        beforehand(told.bin, environment, folder)
        log = pathlib.Path(told.log) if told.log else folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen([told.bin, "serve"], env=environment, stdout=output, stderr=output)
        try:
            server.wait(f"http://{environment['PROXBOX_LISTEN']}/healthz", process)
            yield Scene(told.bin, environment, there, server.Server(environment["PROXBOX_LISTEN"]))
            if "panic" in log.read_text():
                raise RuntimeError("the server's log tells of a panic")
        finally:
            process.terminate()
            process.wait(30)


def beforehand(program, environment, folder):
    """What does not come from the plugin: the tokens, and the objects of NetBox that no row refers to."""
    seed = json.loads(server.SEED.read_text())
    file = folder / "beforehand.json"
    file.write_text(json.dumps({name: seed[name] for name in ("tokens", "netbox_clusters", "netbox_devices")}))
    subprocess.run([program, "load", file], env=environment, check=True, capture_output=True)
