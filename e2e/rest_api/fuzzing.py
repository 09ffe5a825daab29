"""A running server, asked by schemathesis."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from . import report, server


def main(about, name, path, config):
    """Runs schemathesis on what the server tells of itself at this path; the exit code."""
    parser = server.arguments(about)
    parser.add_argument("--seed", default="1", help="another number, other requests")
    told = parser.parse_args()
    with server.running(told) as running, tempfile.TemporaryDirectory() as folder:
        found = ask(f"{running.url}/{path}", config, told.seed, pathlib.Path(folder))
    results = report.Report()
    failing = set()
    for failure in found["failures"]:
        for operation in failure["operations"]:
            failing.add(operation)
            results.count(f"{name}: {operation}", failure["title"])
    for error in found["errors"]:
        results.count(name, json.dumps(error))
    # It ended too early, or failed in a way that is told nowhere.
    if not found["complete"] or (found["exit_code"] != 0 and results.failed == 0):
        results.count(name, f"ended with {found['exit_code']}: {found['stop_reason']}")
    results.passed = max(0, found["operations"]["tested"] - len(failing))
    return results.end()


def ask(location, config, seed, folder):
    """Runs schemathesis, which prints what it finds with the requests that repeat it. What it reports in the end."""
    path = folder / "report.json"
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [program, "--config-file", config, "run", location]
    command += ["--header", f"Authorization: Token {server.ADMIN}", "--seed", seed, "--report-json-path", path]
    # In the folder, since it leaves files where it runs; our hooks are beside this file.
    environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[1])}
    subprocess.run(command, cwd=folder, env=environment, check=False)
    return json.loads(path.read_text())
