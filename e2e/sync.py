"""Adding endpoints and syncing them, over TLS; see README.md.

sync.py --bin SERVER [--database DATABASE]
"""

import sys

from rest_api import proxmox, report, server, with_sync


def main():
    told = server.arguments(__doc__).parse_args()
    results = report.Report()
    with proxmox.scene(told) as scene:
        # Each check goes on where the one before it ended.
        results.run("sync", with_sync.checks, scene)
    return results.end()


sys.exit(main())
