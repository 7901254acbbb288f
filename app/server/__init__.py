"""How Gunicorn runs the app: the worker class, reloading, and requests that it cannot read.

The only folder that may use private names of a library.
"""
