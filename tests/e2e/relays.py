"""What may stand between a program and its bucket: a server that speaks TLS, and a proxy."""

import os
import socket
import ssl
import subprocess
import threading


class _Relay:
    """Takes connections at a port of loopback until it is closed."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_quietly, args=(client,), daemon=True).start()

    def _serve_quietly(self, client):
        try:
            self._serve(client)
        except OSError:  # whoever refuses a certificate just goes
            client.close()


def _pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _join(one, other):
    back = threading.Thread(target=_pump, args=(other, one), daemon=True)
    back.start()
    _pump(one, other)
    back.join()
    one.close()
    other.close()


class Tls(_Relay):
    """Decrypts what comes and passes it on to `address` (host, port)."""

    def __init__(self, address, certificate):
        self._address = address
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        super().__init__()

    def _serve(self, client):
        client = self._context.wrap_socket(client, server_side=True)
        _join(client, socket.create_connection(self._address))


class Proxy(_Relay):
    """Leads to `address` whatever host it is asked for; `asked` are the first lines of what came, `passwords` what it was told."""

    def __init__(self, address):
        self._address = address
        self.asked = []
        self.passwords = set()
        super().__init__()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(1 << 16)
            if not more:
                return client.close()
            head += more
        first, *lines = head.split(b"\r\n\r\n")[0].decode().split("\r\n")
        self.asked.append(first)
        self.passwords.update(line.split()[-1] for line in lines if line.lower().startswith("proxy-authorization:"))
        server = socket.create_connection(self._address)
        if first.startswith("CONNECT "):
            client.sendall(b"HTTP/1.1 200 Here you are\r\n\r\n")
        else:
            server.sendall(head)
        return _join(client, server)


def certificate(folder, name):
    """(certificate and key for `name`, "IP:…" or "DNS:…", by an authority of its own; the authority's certificate)."""
    path = os.path.join(folder, "authority.pem"), os.path.join(folder, "authority.key"), os.path.join(folder, "server.pem"), os.path.join(folder, "server.key")
    extensions = os.path.join(folder, "extensions")
    with open(extensions, "w", encoding="utf-8") as file:
        file.write(f"subjectAltName={name}\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"]
    _openssl("req", "-x509", *curve, "-subj", "/CN=our authority", "-days", "2", "-out", path[0], "-keyout", path[1])
    _openssl("req", *curve, "-subj", "/CN=our store", "-out", extensions + ".csr", "-keyout", path[3])
    _openssl("x509", "-req", "-in", extensions + ".csr", "-CA", path[0], "-CAkey", path[1], "-CAcreateserial", "-days", "2",
             "-extfile", extensions, "-out", path[2])
    os.chmod(folder, 0o755)
    return (path[2], path[3]), path[0]


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
