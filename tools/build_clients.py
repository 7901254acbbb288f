"""`make clients`: the Python and the TypeScript package of the API, from docs/openapi.json.

Writes the sources and the packages (a wheel and a tarball of npm) to clients/build.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import config

CLIENTS = config.ROOT / "clients"
BUILD = CLIENTS / "build"
DOCUMENT = config.ROOT / "docs" / "openapi.json"
BIN = Path(sys.executable).parent


def main() -> None:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir()
    build_python(BUILD / "python")
    build_typescript(BUILD / "typescript")
    print(*BUILD.glob("*.whl"), *BUILD.glob("*.tgz"), sep="\n")


def build_python(folder: Path) -> None:
    settings = CLIENTS / "python.yml"
    generator = (sys.executable, "-m", "openapi_python_client", "generate", "--meta", "uv")
    run(*generator, "--path", DOCUMENT, "--config", settings, "--output-path", folder)
    run(BIN / "uv", "build", "--quiet", "--wheel", "--out-dir", BUILD, folder)


def build_typescript(folder: Path) -> None:
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.ts", ".gitignore")
    shutil.copytree(CLIENTS / "typescript", folder, ignore=ignored)
    version = json.loads(DOCUMENT.read_text(encoding="utf-8"))["info"]["version"]
    run("npm", "pkg", "set", f"version={version}", folder=folder)
    run("npm", "ci", "--no-audit", "--no-fund", "--silent", folder=folder)
    run("npm", "run", "build", "--silent", folder=folder)
    run("npm", "pack", "--silent", "--pack-destination", BUILD, folder=folder)


def run(*command: str | Path, folder: Path = config.ROOT) -> None:
    """Run a command. Raises CalledProcessError if it fails."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # the generator formats with ruff
    environ = {**os.environ, "PATH": path, "OPENAPI": str(DOCUMENT)}
    subprocess.run(command, cwd=folder, env=environ, check=True)


if __name__ == "__main__":
    main()
