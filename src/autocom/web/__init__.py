"""The HTTP side: API, health, live push. Sees the exchange only through `web.api.Exchange`."""
