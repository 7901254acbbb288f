"""Shared parts of the API operations: declaration, request parsing, responses, idempotency."""
