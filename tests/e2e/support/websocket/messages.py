"""The payloads of a server's frames, given in hexadecimal: a message's fragments as one line, control frames as lines of their own."""
import sys

data, message = bytes.fromhex(sys.argv[1]), b""
while data:
    length, at = data[1], 2
    if length == 126:
        length, at = int.from_bytes(data[2:4], "big"), 4
    payload = data[at:at + length]
    if data[0] & 8:
        print(payload.decode("latin-1"))
    else:
        message += payload
        if data[0] & 0x80:
            print(message.decode("latin-1"))
            message = b""
    data = data[at + length:]
