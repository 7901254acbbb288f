"""Schemas of input and output: marshmallow fields, JSON, CSV and files of tasks.

The API, the pages and the import share them. A schema does not query the database.
"""
