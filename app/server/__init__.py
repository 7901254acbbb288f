"""The app under Gunicorn: the worker class, reloading, and requests that Gunicorn cannot read.

The only folder that may use private names of a library.
"""
