# syntax=docker/dockerfile:1
# The agents. From the root of the repository:
#
#   docker build -f deploy/images/worker.Dockerfile -t rollcall-worker .
#
# To pin the base: --build-arg DEBIAN=docker.io/library/debian@sha256:…

ARG DEBIAN=docker.io/library/debian:trixie-slim

# --- livekit-agents and the personas, in an environment of their own --------------------------------------------------
FROM ${DEBIAN} AS build
# The base says which Debian, and Debian which versions; pinning them here would keep their holes.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-pip python3-venv
WORKDIR /src
COPY requirements/worker.txt requirements/
RUN python3 -m venv --without-pip /opt/worker \
 && python3 -m pip --python /opt/worker/bin/python3 install --no-cache-dir --no-compile --require-hashes -r requirements/worker.txt
RUN /opt/worker/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/worker/lib

# --- what runs --------------------------------------------------------------------------------------------------------
FROM ${DEBIAN}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Rollcall's worker" \
      org.opencontainers.image.description="LiveKit agents that Rollcall dispatches" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=build /opt/worker/ /opt/worker/
# Of the orchestrator the worker knows what both must agree on, and nothing else.
COPY orchestrator/__init__.py orchestrator/contract.py orchestrator/py.typed /srv/worker/orchestrator/
COPY worker/ /srv/worker/worker/
ENV PATH=/opt/worker/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/worker
USER 10001:10001
EXPOSE 8081
# The worker finishes the calls that it has; whoever stops it must give it that time.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ.get('ROLLCALL_WORKER_PORT', 8081)}/\", timeout=4)"]
ENTRYPOINT ["python3", "-m", "worker"]
