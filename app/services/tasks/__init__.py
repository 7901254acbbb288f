"""Tasks, comments and labels: access, lists, search, changes, import and export."""
