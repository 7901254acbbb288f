"""What the operations of the API share: declaration, request parsing, responses, idempotency."""
