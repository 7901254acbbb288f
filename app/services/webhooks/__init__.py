"""Webhooks: targets, signing secrets, and the events queued in the outbox."""
