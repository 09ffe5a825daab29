"""What every answer of GraphQL must be, whatever was asked; schemathesis loads it."""

import schemathesis
from hypothesis import strategies
from schemathesis.graphql import nodes, scalar

scalar("BigInt", strategies.integers(-(2**63), 2**63 - 1).map(nodes.Int))
scalar("DateTime", strategies.datetimes().map(lambda time: nodes.String(time.isoformat() + "Z")))

# Errors that are nobody's but the server's.
OURS = {"INTERNAL_SERVER_ERROR", "TIMEOUT", None}


@schemathesis.check
def the_server_does_not_fail(ctx, response, case):
    """Errors are answers here: random ids lead nowhere, and random documents pass limits. But each has its code."""
    if response.status_code != 200:
        raise AssertionError(f"status {response.status_code}")
    body = response.json()
    errors = body.get("errors", [])
    if not errors and body.get("data") is None:
        raise AssertionError("neither data nor errors")
    for error in errors:
        if error.get("extensions", {}).get("code") in OURS:
            raise AssertionError(f"an error of the server: {error}")
