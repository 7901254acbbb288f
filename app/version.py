"""The version of the service, which its API's document tells too."""

VERSION = "1.0.0"
