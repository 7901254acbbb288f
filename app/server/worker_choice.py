"""The choice of Gunicorn's worker class by the setting WEB_WORKER_CLASS.

"app" is app.server.gunicorn_worker, which replaces parts of Gunicorn by private names. An
untested Gunicorn uses its own threaded worker instead.
"""

import gunicorn

TESTED = "27.0"  # the series of Gunicorn with which app.server.gunicorn_worker is tested


def worker_class(setting: str, version: str = gunicorn.__version__) -> str:
    """Return Gunicorn's worker_class for the setting "app" or "gthread"."""
    if setting == "app" and is_tested(version):
        return "app.server.gunicorn_worker.Worker"
    return "gthread"


def warning(setting: str, version: str = gunicorn.__version__) -> str:
    """Return a line for the log if the setting's worker is not used, else ""."""
    if setting == "gthread" or is_tested(version):
        return ""
    return (
        f"WEB_WORKER_CLASS=app is tested with Gunicorn {TESTED}, and this is {version}:"
        " its own gthread worker serves."
    )


def is_tested(version: str) -> bool:
    return version.split(".")[:2] == TESTED.split(".")
