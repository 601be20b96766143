#!/usr/bin/env bash
# One step of `make test`: runs a command, keeps its output in LOGS/NAME.log, prints how long it took.
#   tests/step.sh LOGS NAME COMMAND...      runs the step; when it fails, the summary follows and so does its exit code
#   tests/step.sh LOGS --start | --summary  forgets earlier logs | adds up what the steps reported
set -uo pipefail
logs=$1
name=$2
shift 2

summary() {
    # Scripts end with "N passed, N failed"; cargo says "test result: ok. N passed; N failed; ...".
    awk '/^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
         /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") passed += $(i - 1); if ($i == "failed;") failed += $(i - 1) } }
         /^SKIPPED/ { skipped[$0] = 1 }
         END { for (line in skipped) print line; printf "%d passed, %d failed\n", passed, failed }' "$logs"/*.log
}

case $name in
--start) rm -rf "$logs" && mkdir -p "$logs" ;;
--summary) summary ;;
*)
    echo "=== $name"
    "$@" 2>&1 | tee "$logs/$name.log"
    code=${PIPESTATUS[0]}
    printf '=== %s: %s, %d s\n' "$name" "$([ "$code" = 0 ] && echo ok || echo "FAILED with $code")" "$SECONDS" | tee -a "$logs/times"
    if [ "$code" != 0 ]; then summary; fi
    exit "$code"
    ;;
esac
