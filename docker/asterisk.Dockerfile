# Asterisk 22 as Debian packages it, and nothing else but the small script that writes down calls which
# the dialplan served while autocom was away. Configuration comes from autocom, over the shared volume.
FROM debian:sid-slim

ENV LANG=C.UTF-8
# fails here, not at the first call, where the archive has moved on to something too old or without the modules
RUN apt-get update \
    && apt-get install --yes --no-install-recommends asterisk asterisk-modules ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/* \
    && version="$(asterisk -V | sed 's/^Asterisk //')" \
    && dpkg --compare-versions "$version" ge 22.10.1 \
    && test -n "$(find /usr/lib -name res_ari_channels.so)"

# one user in both images: what autocom writes for Asterisk is readable by its owner alone
RUN groupadd --gid 10001 autocom \
    && useradd --uid 10001 --gid autocom --home-dir /var/lib/autocom --create-home --shell /usr/sbin/nologin autocom
COPY --chmod=0755 docker/start-asterisk.sh /usr/local/bin/start-asterisk
COPY dialplan /opt/autocom/dialplan

USER autocom
VOLUME /var/lib/autocom
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["start-asterisk", "/var/lib/autocom/asterisk/etc/asterisk.conf"]
