"""Page sessions and bearer tokens: how they are issued, read, listed and ended."""
