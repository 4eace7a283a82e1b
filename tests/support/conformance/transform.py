"""
The function that the rules have their records transformed by. It needs nothing but Python, wherever it runs.

Each record says what shall become of it: `ok:text`, `drop:`, `fail:`, `missing:`, `raise:`, or `event:`, which answers
with what the function was given.
"""

import base64
import json


def handler(event, _context):
    answers = [_answer(record, event) for record in event["records"]]
    return {"records": [answer for answer in answers if answer is not None]}


def _answer(record, event):
    command, _, rest = base64.b64decode(record["data"], validate=True).decode().partition(":")
    if command == "missing":
        return None
    if command == "raise":
        raise RuntimeError("as the record says")
    results = {"drop": "Dropped", "fail": "ProcessingFailed"}
    # What comes with a failure is not the record: the error object has to hold the original.
    text = _seen(event, record) if command == "event" else rest.upper()
    data = base64.b64encode(text.encode()).decode()
    return {"recordId": record.get("recordId"), "result": results.get(command, "Ok"), "data": data}


def _seen(event, record):
    seen = {
        "members": sorted(event),
        "record": sorted(record),
        "records": len(event["records"]),
        "ids": len({one.get("recordId") for one in event["records"]} - {None}),
        "arrival": type(record.get("approximateArrivalTimestamp")).__name__,
        "stream": event.get("deliveryStreamArn"),
        "region": event.get("region"),
    }
    return json.dumps(seen) + "\n"
