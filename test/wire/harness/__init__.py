"""Drives the built program from outside, over real sockets, with raw bytes.

    from harness import Server, expect, test

    site = Server({"index.html": "hello"})          # a directory made for this file; started when first used

    @test("R030")                                   # the rules of docs/rules.tsv that this test proves
    def head_is_get_without_content():
        got = site.ask("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        head = site.ask("HEAD / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        expect(head.get("Content-Length"), got.get("Content-Length"))

A test passes when it returns; it has ten seconds unless it says otherwise (seconds=30). test/run runs the files.
"""
from .checks import expect, expect_in, expect_true, skip
from .config import answering, configured, files
from .faults import Faults
from .server import Server, build_dir, free_port, program, verdict
from .registry import test
from .wire import Connection, Malformed, Response

__all__ = ["Connection", "Faults", "Malformed", "Response", "Server", "answering", "build_dir", "configured", "expect",
           "expect_in", "expect_true", "files", "free_port", "program", "skip", "test", "verdict"]
