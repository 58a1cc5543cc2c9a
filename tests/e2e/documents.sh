#!/usr/bin/env bash
# The policies in the documents: each ```cedar block is checked and must say what it claims, and the
# cases of a ```toml block behind it are decided. Each code that leash can report is in docs/CEDAR.md.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()
as_user mkdir -p "$WORK/.git" "$WORK/records" "$T_HOME/.config/leash"

# Splits FILE into numbered policies, their expected codes and their cases.
split() {
	python3 - "$1" "$T/blocks" <<'EOF'
import re, sys, pathlib
text, to = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
to.mkdir()
last = None
for number, (kind, code, body) in enumerate(re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", text, re.M | re.S)):
    if kind == "cedar":
        last = to / f"{number:03}.cedar"
        last.write_text(body)
        last.with_suffix(".code").write_text(code)
    elif kind == "toml" and "[[case]]" in body and last:
        last.with_suffix(".test.toml").write_text(body)
        last = None
    else:
        last = None
EOF
	chmod -R a+rX "$T/blocks"
}

for document in README.md docs/POLICY.md docs/CEDAR.md; do
	split "$ROOT/$document"
	check "$document has policies" test -e "$(ls "$T"/blocks/*.cedar | head -n 1)"
	for policy in "$T"/blocks/*.cedar; do
		code=$(cat "${policy%.cedar}.code")
		name="$document: $(grep -v '^//' "$policy" | head -n 1 | head -c 90)"
		leash_run policy check --json "$policy"
		codes=$(jq -r '[.findings[].code] | unique | join(" ")' "$OUT")
		if [ "$code" ]; then
			like "$name: $code" " $codes " " $code "
			is "... which is $([ "$RC" = 0 ] && echo a warning || echo an error)" \
				"$(jq -r --arg c "$code" 'any(.findings[]; .code == $c and .severity == "error")' "$OUT")" \
				"$([ "$RC" = 0 ] && echo false || echo true)"
		else
			is "$name: nothing to find" "$RC:$(tr ' ' '\n' <<<"$codes" | grep -vE '^(path_missing|path_resolved)?$')" 0:
		fi
		cases=${policy%.cedar}.test.toml
		[ -e "$cases" ] || continue
		leash_run policy test --cases "$cases" --policy "$policy"
		like "... decides as said" "$RC $(out | tail -n 1)" '^0 [1-9][0-9]* passed, 0 failed'
		[ "$RC" = 0 ] || diag "$(out; err)"
	done
	rm -r "$T/blocks"
done

for code in $(cat "$ROOT"/src/policy/*.c | tr '\n\t' '  ' | grep -oE 'lint_add\([^;"]*CEDAR_(ERROR|WARNING), "[a-z_]+"' | grep -oE '[a-z_]+"' | tr -d '"' | sort -u) \
	$(cat "$ROOT"/src/cedar/typecheck*.c "$ROOT"/src/cedar/validate.c "$ROOT"/src/cedar/survey.c "$ROOT"/src/cedar/script.c | tr '\n\t' '  ' |
		grep -oE 'finding_add\([^;"]*CEDAR_(ERROR|WARNING), "[a-z_]+"' | grep -oE '[a-z_]+"' | tr -d '"' | sort -u) \
	$(grep -ohE '"[a-z]+_[a-z]+"' "$ROOT/src/cedar/script.c" | tr -d '"' | sort -u); do
	check "the code $code is documented" grep -q "\`$code\`" "$ROOT/docs/CEDAR.md"
done

done_testing
