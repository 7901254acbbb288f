"""The check that the port of `make run` is free, before all other steps."""

import socket
import sys

import config


def main() -> None:
    settings = config.load()
    host, port = settings["BIND"], settings["PORT"]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            sys.exit(f"Cannot listen on {host}:{port}: {error.strerror}. PORT=... names another.")


if __name__ == "__main__":
    try:
        main()
    except config.SettingsError as error:
        sys.exit(f"The service cannot start.\n{error}")
