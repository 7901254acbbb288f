"""`flask worker`: the process that sends mails and webhooks, and deletes expired rows."""
