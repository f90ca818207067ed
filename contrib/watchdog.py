#!/usr/bin/env python3
"""Watch a Tocsin from another machine, and send a mail over your own server when it falls silent.

    watchdog.py https://tocsin.example.org --smtp smtp://user:password@mail.example.org:587 \\
        --from watchdog@example.org --to you@example.org [--every 30] [--patience 120]

It asks `/ready`. When that has not been 200 for `--patience` seconds, one mail goes out, and
one more when it is well again. Needs Python 3.11 and nothing else; run it as a service, anywhere
but where Tocsin runs. The password may stand in TOCSIN_WATCHDOG_SMTP instead of `--smtp`.
"""

import argparse
import os
import smtplib
import ssl
import sys
import time
import urllib.error
import urllib.request
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

TIMEOUT = 10  # seconds


def trouble(url: str) -> str | None:
    """Why Tocsin is not well, or None."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/ready", timeout=TIMEOUT):
            return None
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}: {error.read(2000).decode(errors='replace')}"
    except OSError as error:
        return f"it does not answer: {error}"


def send(asked: argparse.Namespace, subject: str, text: str) -> bool:
    """Send a mail; whether that worked."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, asked.sender, asked.to
    message.set_content(text)
    at = urlsplit(asked.smtp)
    try:
        tls = ssl.create_default_context()
        if at.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                at.hostname or "", at.port or 465, timeout=TIMEOUT, context=tls
            )
        else:
            server = smtplib.SMTP(at.hostname or "", at.port or 25, timeout=TIMEOUT)
        with server:
            if at.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=tls)
            if at.username:
                server.login(unquote(at.username), unquote(at.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        print(f"The mail did not go out, it is tried again: {error}", file=sys.stderr)
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("--smtp", default=os.environ.get("TOCSIN_WATCHDOG_SMTP"))
    parser.add_argument("--from", dest="sender", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--every", type=float, default=30, help="seconds")
    parser.add_argument("--patience", type=float, default=120, help="seconds")
    asked = parser.parse_args()
    if not asked.smtp:
        parser.error("Name a mail server: --smtp, or TOCSIN_WATCHDOG_SMTP.")
    well_at, was_told = time.monotonic(), False
    while True:
        why = trouble(asked.url)
        if why is None:
            well_at = time.monotonic()
        silent = time.monotonic() - well_at
        if not was_told and why and silent >= asked.patience:
            text = f"Tocsin at {asked.url} has not been well for {silent:.0f} s: {why}\n"
            was_told = send(asked, "Tocsin is silent: nobody is being paged", text)
        elif was_told and why is None:
            was_told = not send(asked, "Tocsin is well again", f"Tocsin at {asked.url} answers.\n")
        time.sleep(asked.every)


if __name__ == "__main__":
    main()
