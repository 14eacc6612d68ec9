"""Why a request did not end well: the closed list of `error_kind`, in one place.

A kind belongs to one result, except that an error status may also be a refusal or shed (then it has no kind).
"""

import enum

from harness.model.outcome import Result


class ErrorKind(enum.StrEnum):
    """What `samples/` stores in `error_kind`; the values are promised to users."""

    # result `error`: the connection broke, or the status says so
    CONNECT_REFUSED = "connect_refused"
    CONNECT_FAILED = "connect_failed"  # no route, a reset during the handshake, any other failure to connect
    TLS_BAD_CERTIFICATE = "tls_bad_certificate"  # wrong name, expired, or signed by nobody that is trusted here
    TLS_FAILED = "tls_failed"  # any other end of a handshake
    RESET = "reset"  # the peer reset the connection, before or inside the answer
    EOF_BEFORE_HEADERS = "eof_before_headers"  # closed in good order, without a whole head
    REDIRECT = "redirect"  # 3xx: never followed
    STATUS_4XX = "status_4xx"  # that no refusal rule matched
    STATUS_5XX = "status_5xx"  # that no refusal or shed rule matched
    STATUS_OTHER = "status_other"  # a status outside 200..599, or a switch of protocols
    CLIENT_FAILED = "client_failed"  # the client of a locustfile raised, and nothing tells more

    # result `timeout`: how far the request had come when its own time limit ended it
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    BODY_TIMEOUT = "body_timeout"

    # result `malformed`: an answer that says 2xx and is none
    BAD_HTTP = "bad_http"
    HEADERS_TOO_LARGE = "headers_too_large"
    TRUNCATED = "truncated"  # closed in good order inside the body
    TOO_LARGE = "too_large"  # a body, or one event of a stream, beyond what is kept
    CONTENT_ENCODING = "content_encoding"  # compressed in a way that nobody asked for, or not what it says
    WRONG_CONTENT_TYPE = "wrong_content_type"
    EMPTY_BODY = "empty_body"
    BAD_JSON = "bad_json"
    BAD_SHAPE = "bad_shape"  # JSON, but not a chat completion
    ERROR_EVENT = "error_event"  # an error object inside a 2xx
    NO_DONE = "no_done"  # a stream that ended without `[DONE]`
    NO_CONTENT = "no_content"  # whole and well-formed, and says nothing: no text, no tool call, no refusal
    MARKED_FAILED = "marked_failed"  # a task of a locustfile said `response.failure(...)`

    # result `cancelled`: by the harness
    DRAIN_ENDED = "drain_ended"  # still in flight when the drain ended
    CONVERSATION_BROKEN = "conversation_broken"  # an earlier turn got no answer, so this one was never due
    STOPPED = "stopped"  # in flight, or not yet due, when the run was stopped
    NO_REQUEST = "no_request"  # the task of a locustfile that took this arrival asked nothing
    LEFT_UNREAD = "left_unread"  # a task of a locustfile did not read the answer to its end

    # result `unsent`: the generator's own failures
    POOL_EXHAUSTED = "pool_exhausted"
    TOO_LATE = "too_late"  # fell due, but the generator had not come to it when the run ended
    TOO_MANY_FILES = "too_many_files"
    NO_LOCAL_PORT = "no_local_port"
    WORKER_LOST = "worker_lost"  # its load worker was lost: whether it went out, nobody can say any more
    TASK_FAILED = "task_failed"  # a task of a locustfile raised: what it would have asked next is missing


_RESULTS = {
    Result.ERROR: "connect_refused connect_failed tls_bad_certificate tls_failed reset eof_before_headers redirect "
    "status_4xx status_5xx status_other client_failed",
    Result.TIMEOUT: "connect_timeout first_byte_timeout body_timeout",
    Result.MALFORMED: "bad_http headers_too_large truncated too_large content_encoding wrong_content_type empty_body "
    "bad_json bad_shape error_event no_done no_content marked_failed",
    Result.CANCELLED: "drain_ended stopped conversation_broken no_request left_unread",
    Result.UNSENT: "pool_exhausted too_late too_many_files no_local_port worker_lost task_failed",
}

RESULT_OF_KIND: dict[ErrorKind, Result] = {
    ErrorKind(kind): result for result, kinds in _RESULTS.items() for kind in kinds.split()
}
"""The one result that each kind belongs to."""
