"""The receiver of the service's webhooks: one line a delivery, told at once."""

import http.client
import json
import subprocess
import sys

from harness.target.embedded import receiver


def test_each_delivery_is_taken_and_stands_in_a_line_of_its_own() -> None:
    with subprocess.Popen([sys.executable, "-I", receiver.__file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            host, _, port = json.loads(process.stdout.readline())["listen"].rpartition(":")
            for name in ("m-1", "m-1", "m-2"):
                connection = http.client.HTTPConnection(host, int(port), timeout=10)
                connection.request("POST", "/", b"{}", {"webhook-id": name})
                assert connection.getresponse().status == 204
                connection.close()
                assert json.loads(process.stdout.readline()) == {"event": "delivered", "id": name}
        finally:
            process.kill()
