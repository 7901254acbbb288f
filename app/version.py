"""The version of the service and of its OpenAPI document."""

VERSION = "1.0.0"
