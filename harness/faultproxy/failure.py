"""Refusals of the API, with Toxiproxy's statuses and words."""

from http import HTTPStatus

from harness.errors import HarnessError


class ApiError(HarnessError):
    """A refused call. status: what the client gets; message: goes into the body's `error`."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def bad_request(message: str) -> ApiError:
    """Return the refusal of something the client can mend (400)."""
    return ApiError(HTTPStatus.BAD_REQUEST, message)


def not_found(what: str) -> ApiError:
    """Return the refusal of a name that is not there (404)."""
    return ApiError(HTTPStatus.NOT_FOUND, f"{what} not found")


def conflict(what: str) -> ApiError:
    """Return the refusal of a name that is taken (409)."""
    return ApiError(HTTPStatus.CONFLICT, f"{what} already exists")


def server_error(message: str) -> ApiError:
    """Return what the operating system refused (500)."""
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, message)
