"""Sign-in through OpenID providers, and provider accounts linked to local accounts."""
