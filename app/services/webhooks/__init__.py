"""Webhooks: targets, signing secrets, and the events that are put into the outbox for them."""
