#: row = 49
#: says = "connects and sends to the host's loopback, by name and by number"
#: control = "harness"
import socket

for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)):
    try:
        with socket.socket(family, kind) as client:
            client.settimeout(1)
            client.connect(("127.0.0.1", WORLD["port"]))
            client.send(b"hello")
            if kind == socket.SOCK_STREAM:
                won("connected")
    except OSError as error:
        print(type(error).__name__)
for name in ("attack.invalid", "localhost"):
    try:
        socket.create_connection((name, WORLD["port"]), timeout=1).close()
        won("connected by name")
    except OSError as error:
        print(type(error).__name__)
