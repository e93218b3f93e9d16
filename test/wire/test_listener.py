"""What the admin listener must not tell, and what it does when calls fail, sites are many and configurations change."""
import json

from harness import Server, expect, expect_true, test

TELLING = """
listen: "127.0.0.1:{port}"
explain: all
admin: {listen: "127.0.0.1:{admin_port}"}
sites:
  - routes:
      - {path: /go, redirect: {to: "https://u:hunter2@example.org/?token=hunter2#access_token=hunter2"}}
      - {path: /plain, redirect: {to: "https://example.org/plain"}}
      - {path: /, files: "{root}", headers: {Set-Cookie: "sid=hunter2", X-Api-Key: hunter2}}
"""
telling = Server({"a.txt": "hello", "folder": None}, config=TELLING, admin=True)


def reply_of(target):
    told = telling.recorded(telling.get(target))
    expect_true("hunter2" not in json.dumps(told), f"{target}: {told}")
    return dict(told["reply"]["fields"])


@test()
def secrets_that_the_configuration_adds_to_replies_are_not_kept():
    for target in ("/a.txt", "/folder"):
        fields = reply_of(target)
        expect((fields["Set-Cookie"], fields["X-Api-Key"]), ("[removed]", "[removed]"), target)
    expect(reply_of("/go")["Location"], "https://[removed]@example.org/?token=[removed]#access_token=[removed]")
    expect(reply_of("/plain")["Location"], "https://example.org/plain")
