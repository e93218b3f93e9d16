"""Texts of configuration files. JSON is YAML, so that values need no quoting."""
import json


def files(path="/", directory="{root}", **keys):
    """A route that serves the directory of the test (or another one)."""
    return {"path": path, "files": directory, **keys}


def answering(path, reason, **keys):
    return {"path": path, "answer": {"reason": reason, **keys}}


def configured(*routes, sites=None, **top):
    """One site with these routes, or these sites. Every answer has the Verdict field, if not said otherwise."""
    sites = sites or [{"routes": list(routes)}]
    return json.dumps({"listen": "127.0.0.1:{port}", "explain": "all", **top, "sites": sites})
