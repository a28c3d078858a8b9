"""web.py PORT STUCK [PORT_OF_DATABASE]: the health of a web application, in AI-IA's shape.

Once the file STUCK is there it answers no more, until its next life; and a GET of /crash ends it.
"""
import http.server, json, os, socket, sys, time

port, stuck, database = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
if os.path.exists(stuck):
    os.unlink(stuck)

def of_database():
    try:
        if database:
            socket.create_connection(("127.0.0.1", int(database[0])), 1).close()
        return "ok"
    except OSError as error:
        return "error: " + os.strerror(error.errno)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        while os.path.exists(stuck):
            time.sleep(0.1)
        services = {"database": of_database(), "cache": "ok"}
        good = set(services.values()) == {"ok"}
        body = json.dumps({"status": "ok" if good else "degraded", "services": services, "timestamp": None}).encode()
        self.send_response(200 if good else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
