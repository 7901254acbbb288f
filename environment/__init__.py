"""How `config.py` reads what the environment says."""
