#!/usr/bin/env bash
# Whether manual pages are clean and readable at 80 columns: check_pages.sh MANDOC PAGE...
set -euo pipefail
mandoc=$1
shift
status=0
for page in "$@"; do
  "$mandoc" -T lint -W warning "$page" || status=1
  wide=$("$mandoc" -T ascii -O width=78 "$page" | col -b | awk 'length($0) > 80')
  if [ -n "$wide" ]; then
    printf '%s: wider than 80 columns:\n%s\n' "$page" "$wide"
    status=1
  fi
done
exit "$status"
