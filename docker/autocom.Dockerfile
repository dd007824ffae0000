# autocom on the image of its Asterisk (`asterisk`, a named build context of compose.yaml): the same paths and
# the same user, so that what it writes for Asterisk holds there. Python packages are locked with hashes.
FROM asterisk AS built

USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/autocom
COPY requirements/run.txt requirements/run.txt
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

FROM asterisk

COPY --from=built /opt/autocom /opt/autocom
COPY migrations /opt/autocom/migrations
COPY sounds /opt/autocom/sounds
COPY tools /opt/autocom/tools

ENV PATH=/opt/autocom/.venv/bin:$PATH \
    AUTOCOM_CONFIG=/etc/autocom \
    AUTOCOM_STATE=/var/lib/autocom \
    AUTOCOM_LOG_FORMAT=json
USER autocom
WORKDIR /var/lib/autocom
VOLUME /var/lib/autocom
EXPOSE 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["autocom", "status", "--json"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["autocom", "serve"]
