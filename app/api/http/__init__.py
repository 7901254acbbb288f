"""What every operation of the API shares: its declaration, request parsing, responses, idempotency."""
