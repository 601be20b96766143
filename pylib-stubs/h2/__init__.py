"""The part of hyper-h2 4.1.0 that handlers see: events and exceptions. The protocol itself is spoken by the server."""
