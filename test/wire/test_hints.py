"""Early hints of a site and of a route: two interim responses before the answer."""
from harness import Server, expect, files, test

SITE = '</site.css>; rel=preload; as=style'
ROUTE = '</page.js>; rel=preload; as=script'
CONFIG = f"""
listen: "127.0.0.1:{{port}}"
h2c: on
admin: {{listen: "127.0.0.1:{{admin_port}}"}}
sites:
  - early_hints: "{SITE}"
    routes:
      - {{path: /, files: "{{root}}"}}
      - {{path: /both, files: "{{root}}", early_hints: "{ROUTE}"}}
"""


@test("R024")
def a_site_and_a_route_hint_one_after_the_other():
    server = Server({"a.txt": "a"}, config=CONFIG, admin=True)
    got = server.h2().get("/both/a.txt")
    expect([head.status for head in got.interim], [103, 103])
    expect([head.get("link") for head in got.interim], [SITE, ROUTE])
    expect((got.status, got.content), (200, b"a"))
    expect([head.get("link") for head in server.h2().get("/a.txt").interim], [SITE])
    expect(server.ask("GET /both/a.txt HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)
