"""Is there a way to a server? Asked with a time limit, before a library that would retry."""

import socket
import threading
import urllib.parse
import urllib.request


def unreachable(url: str, seconds: float = 3.0) -> str:
    """Why no connection to the server of `url` opens; empty where one does.

    Goes to the proxy where the environment names one. Answers within `seconds` and one more,
    even where the look-up of the name hangs.
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
        except (OSError, ValueError) as error:  # ValueError: a host name that is none.
            message = getattr(error, "strerror", None) or error
            outcome[0] = f"no connection to {host}:{port} ({message})"

    # A name look-up knows no time limit, so it is left behind in a thread that ends with us.
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
