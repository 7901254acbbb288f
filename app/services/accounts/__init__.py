"""What changes or ends an account: its address, password reset, invitations, export, deletion.

Imports no module of tasks.
"""
