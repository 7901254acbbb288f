"""User accounts: their usernames, addresses and passwords."""
