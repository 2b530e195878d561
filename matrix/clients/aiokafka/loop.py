"""The event loop, in a thread of its own: the driver's requests have threads of theirs."""

import asyncio
import threading

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def run(coroutine, seconds_max=None):
    """Runs it in the loop and waits for its end. @raises what it raises"""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(seconds_max)


def in_background(coroutine):
    async def quietly():
        try:
            await coroutine
        except Exception as error:  # Nobody asked: it only goes to the log.
            print("while closing:", repr(error))

    asyncio.run_coroutine_threadsafe(quietly(), loop)


def in_loop(op):
    """Makes an op of the driver of a coroutine function."""
    return lambda args: run(op(args))
