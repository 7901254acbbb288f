"""The outbox: messages are stored with the change that causes them, and sent by the worker."""
