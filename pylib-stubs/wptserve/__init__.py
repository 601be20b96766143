"""The Python half of the package `wptserve` for handlers; the other half is the native module `_wptserve`."""
