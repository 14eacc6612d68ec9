"""The native reader of orders, in a process whose loop hangs."""

import subprocess
import sys
import time

HANGS = """
import time
from harness.load.orders import Orders
Orders(lambda: None, grace_s=0.3)
print("hanging", flush=True)
while True:
    time.sleep(1)
"""


def test_the_end_of_input_ends_even_a_process_whose_loop_hangs() -> None:
    with subprocess.Popen([sys.executable, "-c", HANGS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == b"hanging\n"
            process.stdin.write(b"{}\n")
            process.stdin.flush()
            time.sleep(0.5)
            assert process.poll() is None  # an order is no end
            process.stdin.close()
            assert process.wait(5) == 5
        finally:
            process.kill()
