"""Accepts every record of PutRecordBatch, and prints each on a line; runs in a container beside the function."""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["Records"]
        for record in records:
            sys.stdout.buffer.write(base64.b64decode(record["Data"]))
        sys.stdout.flush()
        accepted = [{"RecordId": f"record-{number}"} for number in range(len(records))]
        body = json.dumps({"FailedPutCount": 0, "Encrypted": False, "RequestResponses": accepted}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", 4573), Handler).serve_forever()
