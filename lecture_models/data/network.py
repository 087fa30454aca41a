"""Checks within seconds whether a server can be reached, before a library that would retry."""

import socket
import threading
import urllib.parse
import urllib.request


def unreachable(url: str, seconds: float = 3.0) -> str:
    """Returns why no connection to a server can be opened, or "" if one can.

    Args:
        url: an address of the server; if the environment names a proxy, the proxy is tried.
        seconds: time limit of the connection. The function returns at most one second later, even
            if the look-up of the server's name hangs.
    """
    try:
        host, port = _first_hop(url)
    except ValueError as error:
        return f"the address of the server or its proxy is wrong ({error})"
    outcome = [f"no answer from {host} within {seconds:g} s"]

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
            outcome[0] = ""
        except (OSError, ValueError) as error:  # ValueError: the host name is malformed.
            message = getattr(error, "strerror", None) or error
            outcome[0] = f"no connection to {host}:{port} ({message})"

    # A name look-up has no time limit, so it runs in a thread that is not waited for.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds + 1.0)
    return outcome[0]


def _first_hop(url: str) -> tuple[str, int]:
    target = urllib.parse.urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return target.hostname or "", target.port or (443 if target.scheme == "https" else 80)
