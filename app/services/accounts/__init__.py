"""Changes and the end of an account: address, password reset, invitations, export, deletion.

Of the tasks it imports only `handover`, for the deletion of an account.
"""
