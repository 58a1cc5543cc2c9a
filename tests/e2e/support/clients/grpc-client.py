"""grpc-client.py HOST:PORT SERVICE"""
import sys

import grpc

target, service = sys.argv[1:]
with grpc.secure_channel(target, grpc.ssl_channel_credentials()) as channel:
    print(channel.unary_unary(f"/{service}/Greet")(b"you", timeout=15).decode())
    print(b" ".join(channel.unary_stream(f"/{service}/Count")(b"", timeout=15)).decode())
