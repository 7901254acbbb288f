"""The code around every request: middleware, request checks, the current user, errors and limits.

Knows Flask and the services; reads no schema of a resource and renders no page but the error page.
"""
