"""The wire to the S3 server: a proxy that can be cut, and that shows who is reading which object.

A photo that kills its process is made here: the process that asks for its object is killed when it does.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from threading import Event, Thread

from eval.stage.programs import owner_of_port

_CHUNK = 1 << 16


class Wire:
    """Forwards each connection on its own port to another port of the loopback device; runs in a thread."""

    def __init__(self, port: int, processes: Callable[[], list[int]]) -> None:
        self._to, self._processes = port, processes
        self._deadly: set[bytes] = set()
        self._uncut = True
        self.kills = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = Event()
        self._thread = Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def cut(self) -> None:
        """End every connection, and refuse new ones until `mend`."""
        self._uncut = False
        self._loop.call_soon_threadsafe(self._close_all)

    def mend(self) -> None:
        """Take connections again."""
        self._uncut = True

    def make_deadly(self, object_name: str) -> None:
        """From now on kill every process that reads an object whose key ends so."""
        self._deadly.add(object_name.encode())

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self, ready: Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._close_all()
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._uncut:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there_writer}
        port = writer.get_extra_info("peername")[1]
        await asyncio.gather(
            self._forward(reader, there_writer, asked_from=port), self._forward(there_reader, writer, asked_from=None)
        )
        self._writers -= {writer, there_writer}

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked_from: int | None
    ) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                if asked_from is not None and chunk.startswith(b"GET ") and self._kills(chunk, asked_from):
                    break
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def _kills(self, request: bytes, port: int) -> bool:
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        if not any(path.endswith(name) for name in self._deadly):
            return False
        pid = owner_of_port(port, self._processes())
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        return True

    def _close_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
