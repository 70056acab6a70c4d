#!/bin/sh
# Makes a certificate for this machine that nobody else trusts, and its key, good for 30 days: to try things out.
cd "$(dirname "$0")" || exit
exec openssl req -x509 -newkey rsa:2048 -nodes -days 30 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout key.pem -out cert.pem
