"""A WebSocket's echo, and a stream of events: talk.py BASE-URL"""
import asyncio
import sys

import requests
import websockets


async def echo(url):
    async with websockets.connect(url, open_timeout=15) as socket:
        await socket.send("hello")
        print("socket: echo of", await socket.recv())


with requests.get(sys.argv[1] + "/events", stream=True, timeout=15) as response:
    response.raise_for_status()
    print("events:", " ".join(line.decode().split(": ")[1] for line in response.iter_lines() if line))
asyncio.run(echo(sys.argv[1].replace("https:", "wss:") + "/ws"))
