"""Sign-in through OpenID providers, and the accounts there that are linked to accounts here."""
