"""Who there is: accounts, their usernames, addresses and passwords."""
