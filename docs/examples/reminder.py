#!/usr/bin/env python3
"""A reminder with Python's standard library: sent with an Idempotency-Key, and again until there is an answer; its status;
a webhook verified.

  SMSBRIDGE_URL=https://sms.example SMSBRIDGE_KEY=smsb_... reminder.py PATIENT PHONE TEXT REFERENCE
  reminder.py --verify SECRET ID TIMESTAMP SIGNATURE <BODY

SSL_CERT_FILE names the certificate, where it is the clinic's own."""
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request

AGAIN = {408, 409, 429, 503}


def ask(method, path, body=None, headers=None):
    """(status, headers, JSON); status 0 when there was no answer."""
    request = urllib.request.Request(os.environ["SMSBRIDGE_URL"] + path, method=method)
    request.add_header("Authorization", "Bearer " + os.environ["SMSBRIDGE_KEY"])
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=35) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers, json.load(problem)
    except (urllib.error.URLError, OSError):
        return 0, {}, {"code": "no_answer"}


def send(message, key):
    """Posts a message until it is known to be stored, once, however often it was posted."""
    wait = 1
    for attempt in range(6):
        status, headers, answer = ask("POST", "/v1/messages", message, {"Idempotency-Key": key})
        if status == 202:
            return answer["id"]
        # What may be transient is sent again with the same key; 409 only while the first request still runs.
        running = status != 409 or answer["code"] == "idempotency_key_running"
        if status and (status not in AGAIN or not running):
            raise SystemExit(f"{status} {answer['code']}: {answer.get('errors', answer.get('detail'))}")
        time.sleep(max(wait, int(headers.get("Retry-After", 0))))
        wait *= 2
    raise SystemExit("gave up: " + answer["code"])


def verified(secret, webhook_id, timestamp, signatures, body, now=None):
    """Standard Webhooks 1.0.0: whether body (its octets as they came) is signed with secret, and not too old."""
    if not timestamp.isdigit() or abs((now or time.time()) - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    ours = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    ours = b"v1," + base64.b64encode(ours)
    return any(hmac.compare_digest(ours, theirs.encode()) for theirs in signatures.split(" "))


def main(arguments):
    if arguments[:1] == ["--verify"]:
        good = verified(*arguments[1:], sys.stdin.buffer.read())
        print("verified" if good else "not verified")
        return 0 if good else 1
    patient, phone, text, reference = arguments
    message = {"patient": patient, "phone": phone, "body": text, "reference": reference}
    message_id = send(message, key=reference)
    status, _, shown = ask("GET", "/v1/messages/" + message_id)
    if status != 200:
        raise SystemExit(f"{status} {shown['code']}")
    print(message_id, shown["status"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
