"""What the rules of every room use: the actor, the audit trail, pages of lists, limits, encryption.

Imports no other room.
"""
