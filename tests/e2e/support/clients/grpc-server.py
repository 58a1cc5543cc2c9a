"""A service that says hello, over TLS: grpc-server.py TLS-DIRECTORY REQUEST-LOG ADDRESS PORT"""
import json
import sys
from concurrent import futures

import grpc

tls, log, address, port = sys.argv[1:]


def read(name):
    with open(f"{tls}/{name}", "rb") as f:
        return f.read()


class Service(grpc.GenericRpcHandler):
    def service(self, call):
        with open(log, "a") as f:
            f.write(json.dumps({"kind": "http", "address": address, "method": "POST", "url": call.method}) + "\n")
        if call.method.endswith("/Count"):
            return grpc.unary_stream_rpc_method_handler(lambda request, context: (b"%d" % i for i in range(3)))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"hello " + request)


server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Service()])
server.add_secure_port(f"{address}:{port}", grpc.ssl_server_credentials([(read("good.key"), read("good.pem"))]))
server.start()
print("ready", flush=True)
server.wait_for_termination()
