"""The names and texts that HTTPStatus has in Python 3.11; 3.13 took over those of RFC 9110 and added descriptions."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_OLDER = {
    413: ("REQUEST_ENTITY_TOO_LARGE", "Request Entity Too Large", "Entity is too large"),
    414: ("REQUEST_URI_TOO_LONG", "Request-URI Too Long", "URI is too long"),
    416: ("REQUESTED_RANGE_NOT_SATISFIABLE", "Requested Range Not Satisfiable", "Cannot satisfy request range"),
    418: ("IM_A_TEAPOT", "I'm a Teapot", "Server refuses to brew coffee because it is a teapot."),
    422: ("UNPROCESSABLE_ENTITY", "Unprocessable Entity", ""),
}
_UNDESCRIBED = (102, 103, 207, 208, 226, 423, 424, 425, 426, 506, 507, 508, 510)


def _mend():
    names = HTTPStatus._member_names_
    for code, (name, phrase, description) in _OLDER.items():
        status = HTTPStatus(code)
        # The newer name stays as the second one.
        names[names.index(status._name_)] = name
        status._name_, status.phrase, status.description = name, phrase, description
    for code in _UNDESCRIBED:
        HTTPStatus(code).description = ""


_mend()
del _mend, _OLDER, _UNDESCRIBED
