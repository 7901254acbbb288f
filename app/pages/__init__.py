"""Shared parts of the pages: forms, pagination, redirects and helpers of the templates.

The pages themselves are in app/main, app/auth and app/admin.
"""
