"""Proofs of identity (passwords, one-time links), and the end of credentials."""
