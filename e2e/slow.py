"""Slow attacks by slowhttptest, with an ordinary client among them; see README.md.

slow.py --bin SERVER [--database DATABASE]
"""

import contextlib
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from rest_api import report, server

CONNECTIONS = 500
# Until the last connection must be closed, in seconds.
CLOSED_WITHIN = 35
# What ends of the attack by itself comes after that.
LASTING = 60

# What slowhttptest calls each kind, and how it goes about it.
ATTACKS = {
    "slow heads": ["-H", "-i", "3", "-u", "{url}/api/plugins/proxbox/nodes/"],
    "slow bodies": ["-B", "-i", "3", "-s", "8192", "-f", "application/json", "-u", "{url}/graphql"],
    "slow readers": ["-X", "-k", "10", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-u", "{url}/api/schema/"],
    "ranges": ["-R", "-u", "{url}/api/schema/"],
}


def main():
    told = server.arguments(__doc__).parse_args()
    results = report.Report()
    # Bodies of strangers are read only where strangers may ask.
    with server.running(told, {"PROXBOX_ANONYMOUS_READ": "1"}) as running:
        for kind, how in ATTACKS.items():
            seen = attack(running, [word.format(url=running.url) for word in how])
            print(
                f"{kind}: {seen.most} connections at most, the last closed after {seen.closed:.1f} s; "
                f"{len(seen.probes)} probes, median {seen.at(0.5):.1f} ms, 99 % {seen.at(0.99):.1f} ms, "
                f"slowest {seen.at(1):.1f} ms"
            )
            late = seen.closed > CLOSED_WITHIN and f"the last was closed after {seen.closed:.1f} s"
            # Ranges are answered whole and at once.
            missed = kind.startswith("slow") and seen.most < CONNECTIONS / 2 and "this was no attack"
            for failure in (late, seen.failed, missed):
                results.count(*([kind, failure] if failure else []))
    return results.end()


class Seen:
    """What happened during an attack."""

    def __init__(self):
        self.probes = []
        self.failed = None
        self.most = 0
        self.closed = 0.0

    def at(self, part):
        ordered = sorted(self.probes) or [0.0]
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000


def attack(running, how):
    """Attacks, and looks at the server as long as it lasts."""
    seen, port = Seen(), int(running.address.rsplit(":", 1)[1])
    with tempfile.TemporaryDirectory() as folder:
        command = ["slowhttptest", "-c", str(CONNECTIONS), "-r", "250", "-l", str(LASTING), "-p", "5", *how]
        with open(pathlib.Path(folder, "log"), "w") as log:
            attacker = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        ended = threading.Event()
        prober = threading.Thread(target=probe, args=(running, seen, ended))
        prober.start()
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(prober.join)
            stack.callback(ended.set)
            stack.callback(attacker.wait)
            stack.callback(attacker.kill)
            while attacker.poll() is None and time.monotonic() - begun < LASTING:
                time.sleep(0.2)
                held = connections(port)
                seen.most = max(seen.most, held)
                # The probe's own may be among them.
                if held > 1:
                    seen.closed = time.monotonic() - begun
    return seen


def probe(running, seen, ended):
    """An ordinary client with connections of its own."""
    while not ended.is_set():
        begun = time.monotonic()
        try:
            running.get("plugins/proxbox/nodes/?limit=1")
        except Exception as error:
            seen.failed = str(error)
        seen.probes.append(time.monotonic() - begun)
        time.sleep(0.1)


def connections(port):
    """Connections to this port that the server has open."""
    established = "01"
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(1 for row in rows if int(row[1].rsplit(":", 1)[1], 16) == port and row[3] == established)


sys.exit(main())
