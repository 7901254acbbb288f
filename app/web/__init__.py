"""What surrounds every request: middleware, request checks, the current user, errors and limits.

Knows Flask and the services; renders no page and reads no schema of a resource.
"""
