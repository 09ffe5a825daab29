"""The OpenAPI document against the server, by schemathesis; see README.md.

openapi.py --bin SERVER [--database DATABASE] [--seed NUMBER]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from rest_api import report, server

CONFIG = pathlib.Path(__file__).resolve().with_name("schemathesis.toml")


def main():
    parser = server.arguments(__doc__)
    parser.add_argument("--seed", default="1", help="another number, other requests")
    told = parser.parse_args()
    with server.running(told) as running, tempfile.TemporaryDirectory() as folder:
        found = ask(running.url, told.seed, pathlib.Path(folder))
    results = report.Report()
    failing = set()
    for failure in found["failures"]:
        for operation in failure["operations"]:
            failing.add(operation)
            results.count(f"openapi: {operation}", failure["title"])
    for error in found["errors"]:
        results.count("openapi", json.dumps(error))
    # It ended too early, or failed in a way that is told nowhere.
    if not found["complete"] or (found["exit_code"] != 0 and results.failed == 0):
        results.count("openapi", f"ended with {found['exit_code']}: {found['stop_reason']}")
    results.passed = max(0, found["operations"]["tested"] - len(failing))
    return results.end()


def ask(url, seed, folder):
    """Runs schemathesis, which prints what it finds with the requests that repeat it. What it reports in the end."""
    path = folder / "report.json"
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [program, "--config-file", CONFIG, "run", f"{url}/api/schema/"]
    command += ["--header", f"Authorization: Token {server.ADMIN}", "--seed", seed, "--report-json-path", path]
    # In the folder, since it leaves files where it runs.
    subprocess.run(command, cwd=folder, check=False)
    return json.loads(path.read_text())


sys.exit(main())
