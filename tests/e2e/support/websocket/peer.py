"""Both ends of a WebSocket by Python's websockets: peer.py serve ADDRESS PORT, or peer.py talk URL.

What they say to each other is the same as in peer.cjs."""
import asyncio
import sys

import websockets

MIB = 1 << 20


async def answer(socket):
    async for message in socket:
        if message == "fragments":
            await socket.send(["a", "b\u00e9", "c"])
        elif message == "ping":
            await (await socket.ping(b"are you there"))
            await socket.send("ponged")
        elif message == "close":
            await socket.close(4001, "bye")
        else:
            await socket.send(message)


async def serve(address, port):
    async with websockets.serve(answer, address, port, max_size=None):
        print("ready", flush=True)
        await asyncio.Future()


async def say(socket, message):
    await socket.send(message)
    return await socket.recv()


async def talk(url):
    async with websockets.connect(url, max_size=None, open_timeout=15) as socket:
        print(await say(socket, "hello"))
        print(await say(socket, ["x", "y\u20ac", "z"]))
        print(await say(socket, "fragments"))
        big = bytes(i & 255 for i in range(MIB))
        print(await say(socket, big) == big, await say(socket, "\u20ac" * MIB) == "\u20ac" * MIB)
        await (await socket.ping())
        print("pong", await say(socket, "ping"))
        print("extensions", ",".join(str(e) for e in socket.extensions))
        await socket.send("close")
        try:
            await socket.recv()
        except websockets.ConnectionClosed as e:
            print(e.rcvd.code, e.rcvd.reason)
    async with websockets.connect(url, open_timeout=15) as socket:
        await socket.close(3001, "done")
        print("closed", socket.close_code)


if sys.argv[1] == "serve":
    asyncio.run(serve(sys.argv[2], int(sys.argv[3])))
else:
    asyncio.run(talk(sys.argv[2]))
