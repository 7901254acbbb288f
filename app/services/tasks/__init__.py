"""Tasks, comments and labels: who sees them, lists, search, changes, import and export."""
