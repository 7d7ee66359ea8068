# syntax=docker/dockerfile:1
# The service. From the root of the repository:
#
#   docker build -f deploy/images/orchestrator.Dockerfile -t rollcall .
#
# To pin the bases to what you have looked at: --build-arg DEBIAN=docker.io/library/debian@sha256:…, and NODE alike.
#
# Debian's own Python, and not the image `python`: half of its size, no pip, no headers, and one place that mends holes.

ARG DEBIAN=docker.io/library/debian:trixie-slim
ARG NODE=docker.io/library/node:22-trixie

# --- what the pages need from npm -------------------------------------------------------------------------------------
FROM ${NODE} AS page
WORKDIR /src
COPY Makefile ./
COPY deploy/__init__.py deploy/
COPY deploy/page/ deploy/page/
COPY deploy/tools/ deploy/tools/
COPY orchestrator/web/ orchestrator/web/
RUN CI=true make page

# --- the service, in an environment of its own ------------------------------------------------------------------------
FROM ${DEBIAN} AS build
# The base says which Debian, and Debian which versions; pinning them here would keep their holes.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends binutils python3-pip python3-venv
WORKDIR /src
COPY requirements/image.txt requirements/build.txt requirements/
RUN python3 -m venv --without-pip /opt/rollcall \
 && python3 -m pip --python /opt/rollcall/bin/python3 install --no-cache-dir --no-compile --require-hashes -r requirements/image.txt
RUN python3 -m venv --without-pip /opt/build \
 && python3 -m pip --python /opt/build/bin/python3 install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml LICENSE ./
COPY orchestrator/ orchestrator/
COPY --from=page /src/orchestrator/web/ orchestrator/web/
RUN python3 -m pip --python /opt/build/bin/python3 wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
 && python3 -m pip --python /opt/rollcall/bin/python3 install --no-deps --no-index --no-compile /opt/wheels/*.whl
# Compiled here, since nothing can be written where it runs (but for the hundreds of languages that pygments could colour);
# and without symbols, which are a fifth of it.
RUN find /opt/rollcall -name '*.so' -exec strip --strip-unneeded '{}' + \
 && /opt/rollcall/bin/python3 -m compileall -q -x /pygments/lexers/ --invalidation-mode unchecked-hash /opt/rollcall/lib

# --- Debian with Python, and without what installs more ---------------------------------------------------------------
FROM ${DEBIAN} AS base
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && dpkg --purge --force-depends --force-remove-essential apt debconf perl-base sqv \
 && rm -rf /usr/lib/*-linux-gnu/gconv /var/lib/apt /var/cache/* /var/log/*

# --- what runs: begun anew, since what one layer deletes the layer below still holds ---------------------------------------
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Rollcall" \
      org.opencontainers.image.description="The verified agent dispatcher for LiveKit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# hadolint ignore=DL3067
COPY --from=base / /
# Where the embedded store keeps its data when no REDIS_URL is set. All else may be read-only.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/rollcall
COPY --from=build /opt/rollcall/ /opt/rollcall/
ENV PATH=/opt/rollcall/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/rollcall \
    ROLLCALL_STATE_DIR=/var/lib/rollcall \
    PYTHONDONTWRITEBYTECODE=1
# rollcall.yaml is found here.
WORKDIR /etc/rollcall
USER 10001:10001
VOLUME ["/var/lib/rollcall"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ.get('ROLLCALL_PORT', 8080)}/livez\", timeout=4)"]
ENTRYPOINT ["rollcall"]
CMD ["serve"]
