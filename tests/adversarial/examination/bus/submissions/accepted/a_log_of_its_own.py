import asyncio
import functools
from contextlib import contextmanager


import logging

log = logging.getLogger(__name__)


class Bus:
    def __init__(self, clock):
        self.clock = clock
        self._handlers = {}
        self._history = {}
        self._held = None

    def subscribe(self, topic, handler):
        self._handlers.setdefault(topic, []).append(handler)

    def publish(self, topic, message):
        log.debug('%s %s', topic, message)
        self._history.setdefault(topic, []).append(message)
        if self._held is not None:
            self._held.append((topic, message))
            return 0
        handlers = self._handlers.get(topic, [])
        for handler in handlers:
            handler(message)
        return len(handlers)

    def history(self, topic):
        return list(self._history.get(topic, []))

    @contextmanager
    def pause(self):
        self._held = []
        try:
            yield self
        finally:
            held, self._held = self._held, None
            for topic, message in held:
                for handler in self._handlers.get(topic, []):
                    handler(message)


def retry(times, wait, clock):
    def decorate(function):
        def wrapped(*args, **kwargs):
            for attempt in range(times):
                try:
                    return function(*args, **kwargs)
                except Exception:
                    if attempt == times - 1:
                        raise
                    clock.sleep(wait)

        return wrapped

    return decorate


async def gather(sources):
    return list(await asyncio.gather(*sources))
