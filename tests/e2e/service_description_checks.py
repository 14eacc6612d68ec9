"""What no description can say of an answer; schemathesis reads this module and asks it of every answer."""

import schemathesis

TRACE = ("Traceback", 'File "', "site-packages")


@schemathesis.check
def no_stack_trace(_context: object, response: schemathesis.Response, _case: object) -> None:
    """No answer shows the insides of the service."""
    if "text/plain" in response.headers.get("content-type", [""])[0]:
        return  # the metrics: names of errors may stand there
    shown = [sign for sign in TRACE if sign in response.text]
    assert not shown, f"the answer shows {shown}: {response.text[:500]}"
