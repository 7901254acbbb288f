"""Who a person is: passwords and one-time links as proofs, and the end of credentials."""
