"""What servers answer to ``GET /``, and how quickly: their own words where they are known.

Measured: busybox's httpd in the recorded clusters, median of an undisturbed request 3.6 ms on slow machines. The others are estimates.
"""

from __future__ import annotations

from typing import Any

from swarmsim.engine.server import Serving

_NGINX_PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
_WHOAMI_PAGE = """Hostname: {hostname}
IP: 127.0.0.1
{addresses}RemoteAddr: {client}:{client_port}
GET / HTTP/1.1
Host: {asked}
User-Agent: curl/7.88.1
Accept: */*

"""

NGINX = Serving(0.0005, 0.05, True, _NGINX_PAGE, "nginx/1.27.5")
APACHE = Serving(0.0005, 0.05, True, "<html><body><h1>It works!</h1></body></html>\n", "Apache/2.4.62 (Unix)")
WHOAMI = Serving(0.0005, 0.01, False, _WHOAMI_PAGE, "")
BUSYBOX = Serving(0.003, 0.02, False, "{hostname}\n", "")
"""A page that says who answers, as in the recorded clusters."""
LATE = BUSYBOX._replace(warms_up=5.0)
QUIET = Serving()
"""Something that listens, and whose answers are not modelled."""

OTHER = Serving(speaks_http=False)
"""A server with a protocol of its own, such as a database."""
OF_IMAGES = {
    "nginx": NGINX,
    "httpd": APACHE,
    "wordpress": APACHE,
    "traefik/whoami": WHOAMI,
    "redis": OTHER,
    "mysql": OTHER,
    "postgres": OTHER._replace(hangs_up=True),
}
"""How the default command of an image answers, by its name; of others the page is not known."""


def page(text: str, **values: Any) -> str:
    """A page with its values filled in.

    >>> page("{hostname}\\n", hostname="web.1")
    'web.1\\n'
    """
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text
