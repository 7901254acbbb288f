"""`flask worker`: sends mails and webhooks from the outbox, and deletes expired rows."""
