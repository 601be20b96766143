"""The API of WebSocket handlers (`*_wsh.py`), as pywebsocket3 4.0.2 has it; `mod_pywebsocket` is the same package.

Written anew: what is here is what handlers use. Connections, frames, masks and compression are native.
"""
