"""The OpenAPI document against the server, by schemathesis; see README.md.

openapi.py --bin SERVER [--database DATABASE] [--seed NUMBER]
"""

import pathlib
import sys

from rest_api import fuzzing

CONFIG = pathlib.Path(__file__).resolve().with_name("schemathesis.toml")

sys.exit(fuzzing.main(__doc__, "openapi", "api/schema/", CONFIG))
