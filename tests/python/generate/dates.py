"""`datetime`, `time`, `calendar`, `email.utils` dates."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    datetime.datetime($Y, $Mo, $D, $H, $Mi, $S)
    datetime.datetime($Y, $Mo, $D, $H, $Mi, $S, $Us, $Zone)
    datetime.date($Y, $Mo, $D)
    datetime.time($H, $Mi, $S, $Us)
    datetime.timedelta($Small, $Small, $Small)
    datetime.timedelta(days=$Float)
    datetime.timedelta(hours=$Small, milliseconds=$Int, weeks=$Small)
    datetime.timedelta(seconds=$Float)
    $Moment.isoformat()
    $Moment.isoformat($Char, $Spec)
    str($Moment)
    repr($Moment)
    repr($Delta)
    str($Delta)
    $Moment.strftime($Directives)
    $Moment.strftime($Directives)
    $Moment.strftime('%$Letter')
    $Date.strftime('%$Letter')
    $Moment.strftime($Str)
    format($Moment, $Directives)
    datetime.datetime.strptime($Text, $Directives)
    datetime.datetime.strptime($Moment.strftime($Round), $Round)
    datetime.datetime.strptime($Text, '%$Letter')
    time.strptime($Text, $Directives)
    time.strptime($Moment.strftime($Round), $Round)
    time.strftime($Directives, time.gmtime($Epoch))
    time.gmtime($Epoch)
    tuple(time.gmtime($Epoch))
    time.asctime(time.gmtime($Epoch))
    time.strftime($Directives, ($Y, $Mo, $D, $H, $Mi, $S, 0, 1, 0))
    __import__('calendar').timegm(time.gmtime($Epoch))
    datetime.datetime.fromisoformat($Iso)
    datetime.datetime.fromisoformat($Iso)
    datetime.date.fromisoformat($Iso)
    datetime.time.fromisoformat($Iso)
    datetime.datetime.fromisoformat($Moment.isoformat())
    datetime.datetime.fromtimestamp($Epoch, datetime.timezone.utc)
    datetime.datetime.fromtimestamp($Float, $Zone)
    datetime.datetime.utcfromtimestamp($Epoch)
    datetime.date.fromordinal($Int)
    datetime.date.fromisocalendar($Y, $Mo, $Mo)
    datetime.datetime.combine($Date, datetime.time($H, $Mi))
    $Moment.timetuple()
    tuple($Moment.utctimetuple())
    $Aware.timestamp()
    $Aware.astimezone($Zone)
    $Aware.utcoffset()
    $Aware.tzname()
    $Moment.replace(year=$Y)
    $Moment.replace(day=$D, tzinfo=$Zone)
    $Moment.isocalendar()
    $Moment.weekday(), $Moment.isoweekday(), $Moment.toordinal(), $Moment.ctime()
    $Moment.date(), $Moment.time(), $Moment.timetz()
    $Moment + $Delta
    $Moment - $Delta
    $Moment - $Moment
    $Date - $Date
    $Date + $Delta
    $Moment $Compare $Moment
    $Moment $Compare $Any
    $Date $Compare $Moment
    $Delta $Compare $Delta
    $Delta + $Delta
    $Delta * $Small
    $Delta * $Float
    $Delta / $Small
    $Delta // $Small
    $Delta / $Delta
    $Delta // $Delta
    $Delta % $Delta
    divmod($Delta, $Delta)
    -$Delta, abs($Delta), bool($Delta)
    $Delta.total_seconds()
    hash($Delta) == hash($Delta + datetime.timedelta(0))
    datetime.timezone($Delta)
    str(datetime.timezone($Delta)), repr(datetime.timezone($Delta))
    datetime.timezone(datetime.timedelta(hours=$Small), $Str)
    datetime.timezone.utc.utcoffset($Any)
    __import__('calendar').monthrange($Y, $Mo)
    __import__('calendar').month($Y, $Mo)
    __import__('calendar').isleap($Y)
    __import__('calendar').weekday($Y, $Mo, $D)
    email.utils.formatdate($Epoch, usegmt=$Bool)
    email.utils.format_datetime($Aware, $Bool)
    email.utils.format_datetime($Moment)
    email.utils.parsedate($Mail)
    email.utils.parsedate_tz($Mail)
    email.utils.parsedate_to_datetime($Mail)
    email.utils.mktime_tz(email.utils.parsedate_tz($Mail))
    __import__('http.cookiejar').cookiejar.http2time($Mail)
    __import__('http.cookiejar').cookiejar.time2netscape($Epoch)
    __import__('pickle').loads(__import__('pickle').dumps($Moment))
    copy.copy($Aware)
    class D(datetime.datetime):\n    pass\nd = D($Y, $Mo, 1)\nresult = d, type(d + $Delta), type(d.replace(day=2)), type(D.fromtimestamp(0, datetime.timezone.utc))
    class D(datetime.date):\n    def __str__(self):\n        return 'x'\nd = D($Y, $Mo, 1)\nresult = str(d), f'{d}', d == datetime.date($Y, 1, 1)
""", SHARED, {
    "Y": ["2020", "2021", "1970", "1", "9999", "1900", "2000", "0", "10000", "1969", "2024", "100"],
    "Mo": ["1", "2", "2", "6", "12", "0", "13"],
    "D": ["1", "15", "28", "29", "30", "31", "0"],
    "H": ["0", "1", "12", "13", "23", "24"],
    "Mi": ["0", "5", "59"],
    "S": ["0", "7", "59", "60"],
    "Us": ["0", "1", "500000", "999999", "120000"],
    "Zone": ["None", "datetime.timezone.utc", "datetime.timezone(datetime.timedelta(hours=2))", "datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))",
             "datetime.timezone(datetime.timedelta(minutes=90), 'X')", "datetime.timezone(datetime.timedelta(seconds=3661))"],
    "Good": ["2020, 2, 29", "2021, 3, 4", "1999, 12, 31", "1, 1, 1", "9999, 12, 31", "1970, 1, 1", "2024, 10, 7", "800, 6, 6"],
    "Date": ["datetime.date($Good)"],
    "Moment": ["datetime.datetime($Good)", "datetime.datetime($Good, 13, 4, 5)", "datetime.datetime($Good, 0, 0, 0, $Us)", "datetime.datetime($Good, 23, 59, 59, $Us)", "$Aware"],
    "Aware": ["datetime.datetime($Good, 7, 8, 9, $Us, tzinfo=datetime.timezone.utc)", "datetime.datetime($Good, 7, 8, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))",
              "datetime.datetime($Good, 17, 8, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))"],
    "Delta": ["datetime.timedelta($Small)", "datetime.timedelta(hours=$Small)", "datetime.timedelta($Small, $Small, $Small)", "datetime.timedelta(microseconds=$Int)", "datetime.timedelta(minutes=$Small, milliseconds=$Small)"],
    "Spec": ["'auto'", "'hours'", "'minutes'", "'seconds'", "'milliseconds'", "'microseconds'", "'x'"],
    "Letter": ["a", "A", "b", "B", "c", "d", "H", "I", "j", "m", "M", "p", "S", "U", "w", "W", "x", "X", "y", "Y", "Z", "z", "%", "f", "G", "u", "V", "e", "D", "F", "T", "R", "n", "t", "h", "C", "s", "Q", "-d", "E", "Oy", ":z", "L", "k"],
    "Round": ["'%Y-%m-%d %H:%M:%S'", "'%a, %d %b %Y %H:%M:%S GMT'", "'%d/%m/%y %I:%M %p'", "'%j %Y'", "'%A %d %B %Y'", "'%Y%m%dT%H%M%S.%f'", "'%c'", "'%x %X'", "'%Y-W%W-%w'", "'%G-W%V-%u'"],
    "Directives": ["$Round", "$Round", "'%$Letter %$Letter'", "'%Y'", "''", "'%'", "'\\u4e2d%Y'", "'%d %b'", "'%%d'", "'a%nb%t'", "'%Y\\0%m'", "'%-d.%-m.'"],
    "Text": ["'2020-02-29 12:30:45'", "'Sat, 29 Feb 2020 12:30:45 GMT'", "'29/02/20 12:30 PM'", "'06 Nov'", "'60 2020'", "'Saturday 29 February 2020'", "'20200229T123045.5'", "''", "'2020'", "' 2020 '", "'02/29/20'",
             "'+0200'", "'-05:30'", "'Z'", "'UTC'", "'Feb'", "'366 2019'", "'2020-02-30 00:00:00'", "'2020-W09-6'", "'12:30:61'", "$Str"],
    "Iso": ["'2020-02-29'", "'2020-02-29T12:30'", "'2020-02-29 12:30:45.123'", "'2020-02-29T12:30:45.123456+02:00'", "'20200229T123045Z'", "'2020-W09-6'", "'2020W096'", "'2020-060'", "'12:30'", "'T12:30'", "'12'", "'12:30:45,5'",
            "'2020-02-30'", "'2020-2-9'", "''", "'2020-02-29T24:00'", "'2020-02-29T12:30:45.1234567'", "'2020-02-29T12:30+25:00'", "'2020-02-29\\u4e2d12:30'", "'2020-02-29T12:30:45-00:00:01'", "'2020-02'", "'2020-02-29T'", "' 2020-02-29'",
            "'1230Z'", "'2020-W53'", "'2021-W53-1'", "'2020-02-29T12:3'", "'2020-02-29T1230:45'", "$Str"],
    "Epoch": ["0", "1", "-1", "1000000000", "1234567890.5", "1e10", "86399", "-86400.5", "253402300799", "253402300800", "-62135596800", "0.1", "2**40", "1e20", "1.9999999", "float('nan')", "951782400"],
    "Compare": ["<", "<=", "==", "!=", ">", ">="],
    "Mail": ["'Sat, 29 Feb 2020 12:30:45 GMT'", "'Sat, 29 Feb 2020 12:30:45 +0200'", "'29 Feb 2020 12:30 -0530'", "'Saturday, 29-Feb-20 12:30:45 GMT'", "'Sat Feb 29 12:30:45 2020'", "'29 Feb 20'", "''", "'x'", "'Sat, 29 Feb 2020 25:00:00 GMT'",
             "'Sat, 29 Feb 2020 12:30:45 EST'", "'Sat, 29 Feb 2020 12:30:45'", "'Sat, 29 Feb 2020 12:30:45 -0000'", "'29 Feb 99 1:2:3 Z'", "'Sat, 31 Feb 2020 12:30:45 GMT'", "'Feb 29, 2020'", "'Wed, 09 Feb 1994 22:23:32 GMT'", "'2020-02-29'", "$Str"],
})
