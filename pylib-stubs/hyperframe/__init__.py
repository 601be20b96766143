"""The part of hyperframe that handlers name: the kinds of raw frames."""
