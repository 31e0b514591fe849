# Callwright's pipeline with its pinned packages. `make image` builds it; docs/image.md says how to run it, and why it
# is built this way.
#
# torch's wheels contain CUDA's libraries (13.0.3 for the pinned version), so the flavour is `base`, which has none.
ARG BASE_IMAGE=nvidia/cuda:13.0.3-base-ubuntu24.04

FROM ${BASE_IMAGE} AS system
# gcc and Python's headers stay: on a GPU, Triton compiles a small C launcher for the kernels of FlexAttention.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates gcc git libc6-dev python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

FROM system AS packages
COPY requirements.lock /build/
# The optional secret is a pip.conf for a mirror or other indexes; it is not stored in the image.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv /opt/callwright \
    && /opt/callwright/bin/python -m pip install --no-cache-dir --requirement /build/requirements.lock

FROM packages AS source
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/callwright/bin/python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /build

FROM system
COPY --from=packages /opt/callwright /opt/callwright
COPY conf/image/entrypoint.sh /usr/local/bin/callwright-run
COPY --from=source /wheels /wheels
# Any uid may run the image (`docker run --user`): all users can write home and caches, like /tmp, and names that
# programs would look up in /etc/passwd come from the environment. Ubuntu's image has a user 1000 already, hence
# --non-unique.
ARG UID=1000
ARG GID=1000
RUN /opt/callwright/bin/python -m pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
    && groupadd --non-unique --gid "${GID}" callwright \
    && useradd --non-unique --uid "${UID}" --gid "${GID}" --create-home callwright \
    && mkdir --parents /workspace /cache \
    && chown "${UID}:${GID}" /workspace \
    && chmod 1777 /home/callwright /cache \
    && git config --system --add safe.directory /workspace

# A mounted clone's own source comes before the installed package.
ENV PATH=/opt/callwright/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/workspace/src \
    PYTHONUNBUFFERED=1 \
    HOME=/home/callwright \
    USER=callwright \
    LOGNAME=callwright \
    XDG_CACHE_HOME=/cache \
    HF_HOME=/cache/huggingface \
    DVC_SITE_CACHE_DIR=/cache/dvc \
    MPLCONFIGDIR=/cache/matplotlib \
    TORCHINDUCTOR_CACHE_DIR=/cache/torchinductor \
    TRITON_CACHE_DIR=/cache/triton \
    TINI_KILL_PROCESS_GROUP=1 \
    DO_NOT_TRACK=true \
    DVC_NO_ANALYTICS=true \
    GX_ANALYTICS_ENABLED=False \
    HF_HUB_DISABLE_TELEMETRY=1 \
    MLFLOW_DISABLE_TELEMETRY=true
WORKDIR /workspace
VOLUME /cache
USER ${UID}:${GID}
# Stopping a container acts like Ctrl-C: with `docker run --init`, every process gets it (TINI_KILL_PROCESS_GROUP), the
# stage ends, and DVC says so. DVC alone would ignore it while a stage runs.
STOPSIGNAL SIGINT
ENTRYPOINT ["callwright-run"]
CMD ["dvc", "repro"]

LABEL org.opencontainers.image.title="Callwright" \
    org.opencontainers.image.description="Makes small language models good at reasoning by function calling" \
    org.opencontainers.image.licenses="Apache-2.0"
