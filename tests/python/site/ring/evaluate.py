"""Evaluates programs, each in a fresh namespace that has the modules in question.

A program of one line is an expression, and its value is the result. A program of several lines is executed, and the
result is what `result` then is.
"""

import array
import base64
import binascii
import codecs
import collections
import copy
import datetime
import decimal
import email
import email.header
import email.message
import email.utils
import functools
import hashlib
import hmac
import html
import http
import http.cookies
import io
import itertools
import json
import math
import operator
import os.path
import quopri
import re
import string
import struct
import textwrap
import time
import unicodedata
import urllib.parse
import uuid
import warnings
import zlib

from ring.canon import canon, name, text

MODULES = {module.__name__: module for module in (
    array, base64, binascii, codecs, collections, copy, datetime, decimal, functools, hashlib, hmac, html, io, itertools, json, math,
    operator, quopri, re, string, struct, textwrap, time, unicodedata, uuid, zlib)}
MODULES.update(email=email, http=http, os=os, urllib=urllib)


def variable(value):
    """Hides a constant from whatever folds constants."""
    return value


def evaluate(program):
    """The result as one line of ASCII: `ok VALUE`, or `raise CLASS MESSAGE`."""
    names = dict(MODULES, v=variable)
    try:
        if "\n" in program:
            exec(compile(program, "<program>", "exec"), names)
            return "ok " + canon(names.get("result"))
        return "ok " + canon(eval(compile(program, "<program>", "eval"), names))
    except BaseException as error:
        try:
            message = text(str(error))
        except Exception:
            message = "(no text)"
        return "raise " + name(type(error)) + " " + message


def evaluate_all(programs):
    """The results of several programs, in their order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [evaluate(program) for program in programs]
