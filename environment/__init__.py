"""The readers of environment variables, for `config.py`."""
