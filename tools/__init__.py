"""Programs for developers of the service. A running service needs none of them."""
