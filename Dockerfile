# The server with its pages: docker compose up (see docker-compose.yml).

FROM node:24-slim AS pages
WORKDIR /build/dispatch/web
COPY dispatch/web/package.json dispatch/web/package-lock.json dispatch/web/.npmrc ./
RUN npm ci
COPY dispatch/web ./
RUN npm run build

FROM python:3.12-slim AS packages
COPY requirements-server.lock /build/
RUN python -m venv /opt/psn \
    && /opt/psn/bin/pip install --no-cache-dir --require-hashes -r /build/requirements-server.lock

FROM python:3.12-slim
# It speaks warnings in voice groups.
RUN apt-get update \
    && apt-get install -y --no-install-recommends espeak-ng \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin psn \
    && install -d -o psn -g psn -m 700 /var/lib/psn
WORKDIR /app
COPY --from=packages /opt/psn /opt/psn
COPY LICENSE alembic.ini ./
COPY psn psn
COPY geo geo
COPY dispatch dispatch
COPY radio_bridge radio_bridge
COPY simulators simulators
COPY migrations migrations
COPY --from=pages /build/dispatch/web/dist dispatch/web/dist
ENV PATH=/opt/psn/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PSN_KEYS=/var/lib/psn/keys \
    PSN_FILES=/var/lib/psn/files \
    PSN_HOST=0.0.0.0 \
    PSN_PORT=8080
USER psn
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PSN_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "psn"]
CMD ["serve"]
