#!/bin/sh
# A reminder by curl: sent with an Idempotency-Key and sent again until there is an answer, then its status.
#   SMSBRIDGE_URL=https://sms.example SMSBRIDGE_KEY=smsb_... reminder.sh PATIENT PHONE TEXT REFERENCE
# CURL_CA_BUNDLE names the certificate, where it is the clinic's own. Prints the message's id and its status.
#   reminder.sh --verify SECRET ID TIMESTAMP SIGNATURE <BODY
# Verifies a webhook (Standard Webhooks 1.0.0): SECRET is whsec_..., the others are the headers webhook-id,
# webhook-timestamp and webhook-signature. Prints "verified" or ends with 1. It needs openssl.
set -eu

verify() { # SECRET ID TIMESTAMP SIGNATURE
	now=$(date +%s)
	case $3 in '' | *[!0-9]*) exit 1 ;; esac
	[ $((now - $3)) -le 300 ] && [ $(($3 - now)) -le 300 ] || { echo 'too old or too new' >&2; exit 1; }
	key=$(printf %s "${1#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
	mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary; }
	ours=$({ printf '%s.%s.' "$2" "$3"; cat; } | mac | openssl base64 -A)
	for theirs in $4; do # several while a secret is changed
		[ "$theirs" = "v1,$ours" ] && { echo verified; exit 0; }
	done
	echo 'no signature fits' >&2
	exit 1
}

if [ "${1:-}" = --verify ]; then
	shift
	verify "$@"
fi

patient=$1 phone=$2 text=$3 reference=$4
quote() { printf %s "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; } # for texts of one line
body="{\"patient\":\"$(quote "$patient")\",\"phone\":\"$phone\",\"body\":\"$(quote "$text")\""
body="$body,\"reference\":\"$(quote "$reference")\"}"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# The key goes by a file descriptor, so that it stands in no list of processes.
ask() { # PATH [CURL'S OPTIONS]
	path=$1
	shift
	printf 'header = "Authorization: Bearer %s"\n' "$SMSBRIDGE_KEY" |
		curl --config - --silent --show-error --max-time 35 --output "$answer" --write-out '%{http_code}' "$@" \
			"$SMSBRIDGE_URL$path" || true
}

wait=1
for attempt in 1 2 3 4 5 6; do
	status=$(ask /v1/messages --request POST --header 'Content-Type: application/json' \
		--header "Idempotency-Key: $reference" --data "$body")
	case $status in
	202) break ;;
	000 | 408 | 409 | 429 | 503) # no answer, or one that may be another later: the same request with the same key
		[ "$attempt" -lt 6 ] || { echo "gave up: $status" >&2; exit 1; }
		sleep "$wait"
		wait=$((wait * 2))
		;;
	*)
		cat "$answer" >&2
		exit 1
		;;
	esac
done
id=$(sed -n 's/.*"id":"\([0-9a-f-]*\)".*/\1/p' "$answer")
[ "$(ask "/v1/messages/$id")" = 200 ] || { cat "$answer" >&2; exit 1; }
echo "$id $(sed -n 's/^[^}]*"status" *: *"\([a-z]*\)".*/\1/p' "$answer")"
