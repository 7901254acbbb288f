"""Changes and the end of an account: address, password reset, invitations, export, deletion."""
