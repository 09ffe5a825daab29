"""The REST API, asked by clients that other people wrote."""
