"""The Python half of what handlers import as `wptserve`; the other half is the native module `_wptserve`."""
