"""What the pages share: forms, pagination, redirects and the helpers of the templates.

The pages themselves are in app/main, app/auth and app/admin.
"""
