"""The rules. One module for each resource; each public function is one use case.

A service takes the acting person and plain values, raises `app.errors`, and makes one commit. It
never touches the request, the cookie or a template, so that pages, API and commands cannot differ.
"""
