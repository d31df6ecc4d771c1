"""A client of ComfyUI's API: upload, queue, follow over the websocket, interrupt, fetch."""

from __future__ import annotations

import asyncio
import html
import json
import struct
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

TEXT = 3  # of the host's binary messages the one that is text for a node; the others are pictures


class PromptError(Exception):
    """The server did not queue the prompt; `errors` maps a node's number to what is wrong with its inputs."""

    def __init__(self, answer: dict[str, Any]):
        self.errors = answer.get("node_errors") or {}
        details = [error["details"] or error["message"] for node in self.errors.values() for error in node["errors"]]
        super().__init__("; ".join(details) or answer["error"]["message"])


@dataclass
class Result:
    """What one run of a prompt did. Nodes are named by their number in the prompt."""

    prompt_id: str
    executed: set[str] = field(default_factory=set)
    cached: set[str] = field(default_factory=set)
    progress: list[tuple[str, int, int]] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    interrupted: bool = False


class Client:
    """A synchronous client; one websocket, one prompt at a time."""

    def __init__(self, address: str):
        self.address = address
        self.id = uuid.uuid4().hex
        # A thread of its own, so that the caller may be inside another loop, as Playwright's callers are.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Client:
        self._thread.start()

        async def connect():
            self._session = aiohttp.ClientSession(self.address, timeout=aiohttp.ClientTimeout(total=None))
            self._socket = await self._session.ws_connect(f"/ws?clientId={self.id}", max_msg_size=0)

        self._wait(connect())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._socket.close())
        self._wait(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def upload(self, name: str, data: bytes) -> str:
        """Puts a picture into the server's input folder; returns the name that LoadImage knows it by."""
        form = aiohttp.FormData({"overwrite": "true"}, quote_fields=False)
        form.add_field("image", data, filename=name)
        return json.loads(self._request("POST", "/upload/image", data=form))["name"]

    def get(self, path: str) -> bytes:
        return self._request("GET", path)

    def fetch(self, image: dict[str, str]) -> bytes:
        """The file of one entry of `Result.images`."""
        return self._request("GET", "/view", params=image)

    def node_definitions(self) -> dict[str, Any]:
        return json.loads(self.get("/object_info"))

    def queue(self, prompt: dict[str, Any]) -> str:
        """Queues a prompt in the API format; returns its id."""
        answer = json.loads(self._request("POST", "/prompt", json={"prompt": prompt, "client_id": self.id}))
        if "prompt_id" not in answer or answer.get("node_errors"):  # of the latter the host runs the rest
            raise PromptError(answer)
        return answer["prompt_id"]

    def interrupt(self) -> None:
        self._request("POST", "/interrupt", json={})

    def free(self) -> None:
        """Has the server unload its models and forget what nodes gave. While it tidies up after a prompt it misses the
        wish, but at the end of every prompt it looks for one: so there is another prompt."""
        self._request("POST", "/free", json={"unload_models": True, "free_memory": True})
        empty = {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}}
        self.run({"1": empty, "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}})

    def forget_history(self) -> None:
        """Has the server forget the prompts of the past, which a page reads when it opens."""
        self._request("POST", "/history", json={"clear": True})

    def follow(self, result: Result, seconds: float | None = None) -> Iterator[Result]:
        """Yields `result` each time a message of the server has changed it, until the prompt is done; TimeoutError when
        the server says nothing for so many seconds."""
        while True:
            message = self._wait(self._socket.receive(timeout=seconds))
            if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR):
                raise ConnectionError("The server closed the connection before the prompt was done.")
            if message.type == aiohttp.WSMsgType.BINARY:
                _record_binary(result, message.data)
                yield result
                continue
            event = json.loads(message.data)
            if event["data"].get("prompt_id") != result.prompt_id:
                continue
            done = _record(result, event["type"], event["data"])
            yield result
            if done:
                return

    def run(self, prompt: dict[str, Any], seconds: float | None = None) -> Result:
        """Queues a prompt and waits until it is done; `seconds` as in `follow`."""
        result = Result(self.queue(prompt))
        for _ in self.follow(result, seconds):
            pass
        return result

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _request(self, method: str, path: str, **arguments: Any) -> bytes:
        async def request() -> bytes:
            async with self._session.request(method, path, **arguments) as response:
                body = await response.read()
                if response.status >= 400 and path != "/prompt":
                    raise ConnectionError(f"{method} {path} answered {response.status}: {body.decode()[:300]}")
                return body

        return self._wait(request())


def _record_binary(result: Result, data: bytes) -> None:
    """Previews as they come; texts as the page shows them, with the node that they are for."""
    kind, length = struct.unpack_from(">II", data)
    if kind == TEXT:
        text = html.unescape(data[8 + length :].decode()).replace("  \n", "\n")
        result.texts.append((data[8 : 8 + length].decode(), text))
    else:
        result.previews.append(data)


def _record(result: Result, kind: str, data: dict[str, Any]) -> bool:
    """Writes one message down; True when it is the last of its prompt."""
    if kind == "execution_cached":
        result.cached |= set(data["nodes"])
    elif kind == "executing" and data["node"] is not None:
        result.executed.add(data["node"])
    elif kind == "progress":
        result.progress.append((data["node"], data["value"], data["max"]))
    elif kind == "executed":
        result.outputs[data["node"]] = data["output"] or {}
        result.images += result.outputs[data["node"]].get("images", [])
    elif kind == "execution_error":
        result.error = data
    elif kind == "execution_interrupted":
        result.interrupted = True
    return kind in ("execution_success", "execution_error", "execution_interrupted")
