"""The outbox: messages stored with the change that they follow from, and sent later by the worker."""
