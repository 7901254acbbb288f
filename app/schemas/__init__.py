"""The shapes of data that comes in and goes out: marshmallow fields, JSON, CSV and files of tasks.

Shared by the API, the pages and the import; a schema does not query.
"""
