"""Calls of the service: the key, idempotency, repetitions, errors. One per client, used by all its groups."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from io import RawIOBase
from typing import Any, BinaryIO, NamedTuple, TypeAlias, TypeVar, Unpack
from urllib.parse import quote

import httpx

from standfast_client.problems import ApiError, Interrupted, StandfastError, Unreachable, problem_of
from standfast_client.retrying import Retries, wants_again
from standfast_client.values import Guarded, Reading, encoded, parameters

T = TypeVar("T")
Query: TypeAlias = Sequence[tuple[str, str]]

PREFIX = "/api/v1"
USER_AGENT = "standfast-client/0.1 (Python)"
_ERROR_BYTES_MAX = 1024 * 1024


class Key(httpx.Auth):
    """The API key. It is in no repr and in no error's text."""

    def __init__(self, key: str) -> None:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("The API key is empty or holds characters that no key has. Copy it again, without spaces.")
        self.__header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self.__header
        yield request


class Sending(NamedTuple):
    """A body that can be sent again. open: makes it anew for each attempt."""

    kind: str
    open: Callable[[], bytes | BinaryIO | RawIOBase]


class Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    content: bytes

    def json(self, _: type[T]) -> T:
        """Taken to have the shape that the API's document says. Raises StandfastError for what is not JSON."""
        try:
            found: T = json.loads(self.content)
        except ValueError:
            raise StandfastError("The answer is not JSON. Is base_url the address of the REST service?") from None
        return found

    def versioned(self, shape: type[T]) -> T:
        found: Any = self.json(shape)
        versioned: T = {**found, "etag": self.headers.get("ETag", "")}  # type: ignore[assignment]
        return versioned


class Calls:
    """The way to one installation with one key. Threads may share it."""

    def __init__(self, base_url: str, key: Key, *, timeout: float, retries: Retries) -> None:
        self.base_url = _address_of(base_url)
        self._retries = retries
        self._http = httpx.Client(auth=key, timeout=timeout, headers={"User-Agent": USER_AGENT})

    def close(self) -> None:
        self._http.close()

    def get(self, shape: type[T], path: str, query: Query = (), **more: Unpack[Reading]) -> T:
        """The JSON of an answer, which has the shape."""
        return self._read(path, query, **more).json(shape)

    def get_versioned(self, shape: type[T], path: str, query: Query = (), **more: Unpack[Reading]) -> T:
        """The same with its version as `etag`."""
        return self._read(path, query, **more).versioned(shape)

    def _read(
        self, path: str, query: Query, fields: Sequence[str] | None = None, timeout: float | None = None
    ) -> Answer:
        return self.answer("GET", path, query=[*query, *parameters(fields=fields)], timeout=timeout)

    def write(self, shape: type[T], method: str, path: str, body: Any = None, **more: Unpack[Guarded]) -> T:
        return self.answer(method, path, sending=_json(body), **more).json(shape)

    def write_versioned(self, shape: type[T], method: str, path: str, body: Any = None, **more: Unpack[Guarded]) -> T:
        return self.answer(method, path, sending=_json(body), **more).versioned(shape)

    def delete(self, path: str, **more: Unpack[Guarded]) -> None:
        self.answer("DELETE", path, **more)

    def answer(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        sending: Sending | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Make a call, repeated where that is of use. Raises StandfastError."""
        call = self._call(
            method,
            path,
            query=query,
            sending=sending,
            idempotency_key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )
        with self._opened(call) as response:
            return Answer(response.status_code, response.headers, response.content)

    @contextmanager
    def stream(self, path: str, query: Query = (), *, timeout: float | None = None) -> Iterator[Iterator[bytes]]:
        """Pieces of an answer while it arrives. Raises StandfastError, Interrupted where it ends before its end."""
        call = self._call("GET", path, query=query, timeout=timeout)
        with self._opened(call, whole=False) as response:
            yield _pieces(response, call.request_id)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Query,
        timeout: float | None,
        sending: Sending | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> _Call:
        request_id = str(uuid.uuid4())
        headers = {"X-Request-Id": request_id, "Accept": "application/json, */*"}
        if method != "GET":
            idempotency_key = uuid.uuid4().hex if idempotency_key is None else idempotency_key
            if not idempotency_key.isascii() or not idempotency_key.isprintable():
                raise ValueError("An idempotency_key has 1 to 255 printable ASCII characters.")
            headers["Idempotency-Key"] = idempotency_key
        if if_match is not None:
            headers["If-Match"] = if_match
        if sending is not None:
            headers["Content-Type"] = sending.kind
        url = f"{self.base_url}{PREFIX}{path}"
        return _Call(method, url, list(query), headers, sending, request_id, idempotency_key, timeout)

    @contextmanager
    def _opened(self, call: _Call, *, whole: bool = True) -> Iterator[httpx.Response]:
        """The good answer to a call, read to its end where it is wanted whole: half an answer is none."""
        response = self._repeated(call, whole=whole)
        try:
            yield response
        finally:
            response.close()

    def _repeated(self, call: _Call, *, whole: bool) -> httpx.Response:
        for repetition in range(self._retries.count + 1):
            last = repetition == self._retries.count
            retry_after: str | None = None
            try:
                response = self._attempt(call, whole=whole)
            except httpx.RequestError as error:
                if last:
                    raise _unreachable(error, call) from None
            else:
                if response.is_success:
                    return response
                problem = _problem(response, call.request_id)
                retry_after = response.headers.get("Retry-After")
                if last or not wants_again(response.status_code, retry_after):
                    raise problem
            time.sleep(self._retries.wait_seconds(repetition, retry_after))
        raise AssertionError("the last attempt answers or raises")

    def _attempt(self, call: _Call, *, whole: bool) -> httpx.Response:
        content = call.sending.open() if call.sending is not None else None
        try:
            timeout = httpx.USE_CLIENT_DEFAULT if call.timeout is None else call.timeout
            request = self._http.build_request(
                call.method, call.url, params=[*call.query], headers=call.headers, content=content, timeout=timeout
            )
            response = self._http.send(request, stream=True)
            try:
                if whole and response.is_success:
                    response.read()
            except BaseException:
                response.close()
                raise
            return response
        finally:
            if content is not None and not isinstance(content, bytes):
                content.close()


class Group:
    """The calls of one kind of resource."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls


class _Call(NamedTuple):
    method: str
    url: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    sending: Sending | None
    request_id: str
    idempotency_key: str | None
    timeout: float | None


def _address_of(base_url: str) -> str:
    """Scheme, host and port, with a path before /api/v1 where a proxy has one. Raises ValueError."""
    text = base_url.strip().rstrip("/").removesuffix(PREFIX)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"base_url cannot be read: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or url.userinfo:
        raise ValueError("base_url is the service's address, such as https://rest.example.com, without a key in it.")
    return text


def at(template: str, *parts: int | str) -> str:
    """A path with its parts in their places; what is no id cannot lead elsewhere. Raises ValueError."""
    if any(str(part).strip(".") == "" for part in parts):
        raise ValueError(f"There is no {template} of {parts}.")
    return template.format(*(quote(str(part), safe="") for part in parts))


def _json(body: Any) -> Sending | None:
    if body is None:
        return None
    data = encoded(body)
    return Sending("application/json", lambda: data)


def _problem(response: httpx.Response, request_id: str) -> ApiError:
    """The exception for an answer that is an error; its body may be cut off or endless."""
    body = b""
    try:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > _ERROR_BYTES_MAX:
                break
    except httpx.HTTPError:
        pass
    finally:
        response.close()
    said = response.headers.get("X-Request-Id", request_id)
    return problem_of(response.status_code, body, request_id=said)


def _pieces(response: httpx.Response, request_id: str) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except httpx.RequestError as error:
        text = f"The rows ended before their end: {_reason(error)}. Ask for them again (request {request_id})."
        raise Interrupted(text) from None


def _unreachable(error: httpx.RequestError, call: _Call) -> Unreachable:
    return Unreachable(_reason(error), request_id=call.request_id, idempotency_key=call.idempotency_key)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
