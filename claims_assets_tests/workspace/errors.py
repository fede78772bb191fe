"""The one error of the API: a status, a code and a message, as the real service words them."""


class ApiError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, code: str | int, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(message: str) -> ApiError:
    """400: the request can't be understood, or names something that isn't there."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> ApiError:
    """404: there is no such thing."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def forbidden(message: str) -> ApiError:
    """403: the caller is known and may not do this."""
    return ApiError(403, "PERMISSION_DENIED", message)
