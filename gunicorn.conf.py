"""The configuration of Gunicorn, read by `gunicorn run:app` in this folder.

.env.example lists the settings. SIGHUP loads new code and settings, SIGTERM stops gracefully.
"""

import atexit
import gc
import sys
from pathlib import Path
from typing import Any

from app import sql
from app.extensions import db
from app.server import renewal, worker_choice
from config import SettingsError, load

try:
    settings = load()
except SettingsError as error:  # an error in a worker would only start the next worker
    sys.exit(str(error))

host = settings["BIND"]
bind = f"[{host}]:{settings['PORT']}" if ":" in host else f"{host}:{settings['PORT']}"
workers = settings["WEB_CONCURRENCY"]
threads = settings["WEB_THREADS"]
worker_class = worker_choice.worker_class(settings["WEB_WORKER_CLASS"])

# Loaded once and shared by the workers: 105 MB instead of 155 for a master with two workers.
preload_app = True
control_socket_disable = True  # all masters of a user would use the same path
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat on a disk may block

timeout = 30  # seconds, as below; a worker without a heartbeat for so long is replaced
graceful_timeout = 25  # less than orchestrators allow from SIGTERM to SIGKILL
keepalive = 65  # longer than load balancers keep an idle connection: they must close first
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
forwarded_allow_ips = ""  # the app itself reads X-Forwarded-*, by PROXY_HOPS

if settings["METRICS_TOKEN"]:
    renewal.share_figures()
atexit.register(renewal.remove_figures)  # METRICS_TOKEN may have been set before a renewal

accesslog = None  # the app logs one line for each request
errorlog = "-"
# Until app.logs sets the level. At "debug" Gunicorn logs requests with the secrets of links.
loglevel = settings["LOG_LEVEL"].lower().replace("debug", "info")


def when_ready(server: Any) -> None:
    """Load templates and statements once in the master, so that all workers share the memory."""
    served = server.app.wsgi()
    for name in served.jinja_env.list_templates():
        served.jinja_env.get_template(name)
    with served.app_context():
        sql.compile_ahead()
    gc.collect()
    gc.freeze()  # the collector would write to all objects and so unshare their memory pages
    renewal.take_over(server)
    if warning := worker_choice.warning(settings["WEB_WORKER_CLASS"]):
        server.log.warning(warning)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Separate the worker from its siblings: new database connections, its own metrics slot."""
    served = server.app.wsgi()
    with served.app_context():
        db.engine.dispose(close=False)
    if figures := served.extensions.get("metrics"):
        figures.after_fork(settings["DATABASE_POOL_SIZE"])


def post_worker_init(worker: Any) -> None:  # noqa: ARG001
    renewal.hear_stops()


def on_exit(server: Any) -> None:  # noqa: ARG001
    renewal.wait_for_old_workers()
