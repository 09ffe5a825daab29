"""The REST API by other people's clients; see README.md.

rest.py --bin SERVER [--database DATABASE]
"""

import sys

from rest_api import report, server, with_curl, with_pynetbox, with_requests


def main():
    told = server.arguments(__doc__).parse_args()
    results = report.Report()
    with server.running(told) as running:
        # What is read comes before what is written; each check that writes cleans up or uses objects of its own.
        results.run("curl", with_curl.checks, running)
        results.run("requests", with_requests.checks, running)
        results.run("pynetbox", with_pynetbox.checks, running)
    return results.end()


sys.exit(main())
