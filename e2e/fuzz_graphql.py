"""Random operations against GraphQL, by schemathesis; see README.md.

fuzz_graphql.py --bin SERVER [--database DATABASE] [--seed NUMBER]
"""

import pathlib
import sys

from rest_api import fuzzing

CONFIG = pathlib.Path(__file__).resolve().with_name("schemathesis-graphql.toml")

sys.exit(fuzzing.main(__doc__, "graphql", "graphql", CONFIG))
