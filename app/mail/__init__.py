"""Mails: written from the outbox's entries, and handed to what takes them."""

from app.mail.sender import send

__all__ = ["send"]
