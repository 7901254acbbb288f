"""A package index in a folder, with wheels of metadata only."""

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path


class PackageIndex:
    """A "simple" repository (PEP 503) below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def release(self, name: str, version: str, requires: Sequence[str] = ()) -> str:
        """Add a wheel and return the lines that lock it. `requires` as in "toml; extra == 'x'"."""
        project = self.folder / name
        project.mkdir(parents=True, exist_ok=True)
        wheel = project / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        metadata = [f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        content = {
            f"{name}.py": "",
            f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *metadata, ""]),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in content.items():
                archive.writestr(zipfile.ZipInfo(path), text)  # no date: a constant hash
        links = [f'<a href="{path.name}">{path.name}</a>' for path in project.glob("*.whl")]
        (project / "index.html").write_text("\n".join(links))
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
