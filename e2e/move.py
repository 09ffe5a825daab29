"""Moving over from the NetBox plugin; a second server plays its part; see README.md.

move.py --bin SERVER [--database DATABASE]
"""

import sys

from rest_api import moving, report, server, with_move


def main():
    told = server.arguments(__doc__).parse_args()
    results = report.Report()
    with moving.scene(told) as scene:
        # Each check goes on where the one before it ended.
        results.run("move", with_move.checks, scene)
    return results.end()


sys.exit(main())
