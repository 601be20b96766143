"""Where CPython's own tests are, and a doc root whose handler runs them. None of their code is ours to keep."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "libpython3.11-testsuite"
# The standard library's modules that handlers import, and the types and the language that all of them use.
MODULES = """
    test_re test_struct test_base64 test_binascii test_json test_urlparse test_urllib test_datetime test_time test_strptime test_strftime
    test_calendar test_email test_http_cookies test_httplib test_hashlib test_hmac test_codecs test_codeccallbacks test_charmapcodec
    test_utf8source test_collections test_ordered_dict test_defaultdict test_deque test_userdict test_userlist test_userstring
    test_itertools test_functools test_operator test_heapq test_bisect test_unicodedata test_ucn test_bytes test_unicode test_int test_long
    test_float test_complex test_bool test_format test_fstring test_string test_strtod test_pow test_dict test_dictviews test_list test_tuple
    test_set test_range test_slice test_index test_enumerate test_iter test_iterlen test_sort test_contains test_compare test_richcmp
    test_posixpath test_genericpath test_fnmatch test_glob test_shlex test_pathlib test_tempfile test_shutil test_filecmp test_io test_memoryio
    test_file test_fileio test_univnewlines test_uuid test_random test_math test_cmath test_fractions test_decimal test_statistics
    test_numeric_tower test_zlib test_gzip test_html test_htmlparser test_copy test_copyreg test_pickle test_contextlib test_array
    test_memoryview test_mimetypes test_textwrap test_enum test_dataclasses test_types test_typing test_builtin test_exceptions
    test_exception_group test_except_star test_exception_variations test_baseexception test_raise test_with test_scope test_patma
    test_unpack test_unpack_ex test_extcall test_keywordonlyarg test_positional_only_arg test_listcomps test_setcomps test_dictcomps test_genexps
    test_generators test_generator_stop test_yield_from test_decorators test_class test_descr test_property test_super test_subclassinit
    test_metaclass test_named_expressions test_augassign test_binop test_unary test_grammar test_string_literals test_int_literal test_global
    test_isinstance test_hash test_funcattrs test_abc test_reprlib test_pprint test_csv test_configparser test_ipaddress test_quopri
    test_difflib test_queue test_threading_local test_weakref test_traceback test_inspect test_zoneinfo test_ast test_keyword
    test_wsgiref test_http_cookiejar test_xml_etree test_minidom test_colorsys test_secrets test_stringprep
""".split()


# Those that take more than a few seconds.
SLOW = set("""
    test_datetime test_pickle test_weakref test_statistics test_set test_decimal test_io test_unicodedata test_codecs test_math test_queue
    test_itertools test_email test_unicode test_http_cookiejar test_deque test_userstring test_shutil test_random test_strtod test_difflib
""".split())


def folders(cache: Path) -> list[Path]:
    """The directories that together are the package `test` of CPython 3.11; none when it cannot be had.

    The running Python's own, or, where the distribution ships it apart, that package unpacked into `cache`.
    """
    own = Path(sysconfig.get_path("stdlib")) / "test"
    if (own / "test_struct.py").exists():
        return [own]
    unpacked = cache / "usr/lib/python3.11/test"
    if not unpacked.exists():
        cache.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=cache, check=True, capture_output=True)
            archive = next(cache.glob(PACKAGE + "*.deb"))
            subprocess.run(["dpkg", "-x", archive.name, "."], cwd=cache, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            print("%s: %s %s" % (PACKAGE, error, getattr(error, "stderr", b"").decode(errors="replace")))
            return []
    return [unpacked, own] if own.exists() else [unpacked]


def version() -> str:
    """Of the tests, as the table of expected failures names it."""
    return "%d.%d.%d" % sys.version_info[:3]


def doc_root(root: Path, folders: list[Path]) -> None:
    """Fills a directory: the package `test` as links, and the handler."""
    package = root / "test"
    package.mkdir()
    for folder in folders:
        for entry in folder.iterdir():
            if entry.name != "__pycache__" and not (package / entry.name).exists():
                (package / entry.name).symlink_to(entry)
    shutil.copy(HERE / "site/run_tests.py", root)
