# A release names the image by its digest: --build-arg PYTHON=python:3.13-slim@sha256:...
ARG PYTHON=python:3.13-slim

# The first stage installs what requirements.txt locks, by hash, and compiles everything once.
FROM ${PYTHON} AS build
RUN python -m venv --without-pip /venv
COPY requirements.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --disable-pip-version-check --no-compile --no-deps \
    --require-hashes --only-binary :all: --requirement /tmp/requirements.txt \
    && pip --python /venv/bin/python check
COPY . /srv/app
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib /srv/app

# The second takes the result: no pip cache, no secret, and nothing that its user may write to.
FROM ${PYTHON}
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=build /venv /venv
COPY --from=build /srv/app /srv/app
WORKDIR /srv/app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    APP_ENV=production \
    BIND=0.0.0.0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=6s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
CMD ["gunicorn", "run:app"]
