"""Operation of the service: readiness, checks, statistics for admins, purge of expired rows."""
