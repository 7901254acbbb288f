"""What operators need: readiness, checks, figures for admins, and the purge of expired rows."""
