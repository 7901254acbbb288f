"""Code that all rooms of services use: actor, audit trail, paging, limits, encryption.

Imports no other room.
"""
