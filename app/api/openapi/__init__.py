"""The OpenAPI document, generated from the declarations of the operations."""
