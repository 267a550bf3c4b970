"""What goes wrong between us and a DICOMweb server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import requests
from retrying import RetryError


class DicomWebError(OSError):
    """A server cannot be reached, refuses a request, or answers what cannot be used. The text has no personal data."""


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the errors of a request into a `DicomWebError` of one line.

    Args:
        url: The server's.
    """
    try:
        yield
    except DicomWebError:
        raise
    except RetryError as error:
        raise DicomWebError(f"{url}: {_refusal(error.last_attempt.value.status_code)}") from error
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise DicomWebError(f"{url}: {_refusal(status)}") from error
    except requests.exceptions.SSLError as error:
        raise DicomWebError(
            f"{url}: its certificate is not trusted ({error.args[0].reason if error.args else error}). Give the "
            "certificate of the authority that signed it by --ca-file."
        ) from error
    except requests.Timeout as error:
        raise DicomWebError(f"{url}: no answer in time.") from error
    except requests.TooManyRedirects as error:
        raise DicomWebError(f"{url}: it redirects elsewhere, which is not followed. Give the final address.") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise DicomWebError(f"{url}: the connection broke within an answer.") from error
    except requests.ConnectionError as error:
        raise DicomWebError(f"{url}: cannot be reached. Is it running, and are host and port right?") from error
    except Exception as error:  # the text of what cannot be read may quote the patient's data
        raise DicomWebError(f"{url}: its answer is not that of a DICOMweb server ({type(error).__name__}).") from error


def _refusal(status: int) -> str:
    phrase = f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else str(status)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return (
            f"it answers {phrase}. Give a token by --token-file or FETAL_MONAI_DICOMWEB_TOKEN, or a user and password "
            "in ~/.netrc."
        )
    if status == HTTPStatus.NOT_FOUND:
        return f"it answers {phrase}. Are the path and the UIDs right?"
    return f"it answers {phrase}."
