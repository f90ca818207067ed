# Tocsin as an image: the service and its own PostgreSQL, run by a user who may do nothing else.
# Set DATABASE_URL to use a PostgreSQL of yours; docs/configuration.md has every setting.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /srv/tocsin
# With the extra `otel`, 8 MB: whoever has a collector sets TOCSIN_OTLP_ENDPOINT and builds nothing.
COPY requirements-image.txt ./
RUN /opt/venv/bin/python -m pip install --require-hashes -r requirements-image.txt
COPY pyproject.toml README.md alembic.ini ./
COPY alembic alembic
COPY app app
# Editable, because the migrations lie beside the package and not in it.
RUN /opt/venv/bin/python -m pip install --no-build-isolation --no-deps --editable . \
    && /opt/venv/bin/python -m compileall -q app

FROM python:3.11-slim
LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="Incident management and on-call" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 tocsin \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tocsin tocsin \
    && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/tocsin
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/tocsin /srv/tocsin
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    TOCSIN_DATA_DIR=/var/lib/tocsin
WORKDIR /srv/tocsin
USER 10001:10001
VOLUME /var/lib/tocsin
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; port = os.environ.get('TOCSIN_PORT') or os.environ.get('PORT') or '8000'; server = http.client.HTTPConnection('127.0.0.1', int(port), timeout=4); server.request('GET', '/ready'); sys.exit(server.getresponse().status != 200)"]
CMD ["tocsin", "serve", "--host", "0.0.0.0"]
