#!/usr/bin/env bash
# A recorded session under other policies: what would be decided otherwise.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()

echo data | user_file "$WORK/file"
user_file "$T_HOME/.ssh/id_ed25519" 600 <<<key
leash_run -I -- sh -c 'cat file file; cat file; cat ~/.ssh/id_ed25519; mkdir new; ls new /; echo x >new/y; echo z >~/mine; mv new/y new/z; rm -r new; getent hosts example.test || nslookup example.test' 2>/dev/null
session=$(basename "$(session_directory)")

# ---- The same policy
leash_run replay
like "the same policy: nothing would be decided otherwise" "$RC:$(out)" '^0:0 of [1-9][0-9]+ operations would be decided otherwise$'
same_count=$(sed 's/.* of \([0-9]*\) .*/\1/' "$OUT")
is "... all that was decided by a policy was decided again" "$same_count" \
	"$(events '.decision and (.kind | IN("ws.open", "http.rewrite", "tamper", "refused", "mismatch") | not) and (.decision == "deny" or .policies != ["default"])' | wc -l)" # the resolver is open without a policy

# ---- Another one
user_file "$WORK/strict.cedar" <<CEDAR
permit (principal, action, resource);
@id("not-the-file")
forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/file");
CEDAR
leash_run replay --policy "$WORK/strict.cedar"
is "another: exit 1" "$RC" 1
like "... what was allowed and would not be, once, with a count" "$(out)" "^allow -> deny  file.open $WORK/file \(read\)  3 times, first in [0-9]+ by (cat|sh)  \[file:not-the-file\]$"
like "... what was denied and would not be" "$(out)" "^deny -> allow  file.open $T_HOME/.ssh/id_ed25519 \(read\)  1 time, "
like "... and how many" "$(out)" "^[0-9]+ of $same_count operations would be decided otherwise$"
leash_run replay --policy "$WORK/strict.cedar" --json "${session:0:18}"
is "--json" "$(jq -c --arg f "$WORK/file" '.session, (.changes[] | select(.object == $f) | [.kind, .before, .after, .access, .reasons, .count])' "$OUT")" \
	"\"$session\"
[\"file.open\",\"allow\",\"deny\",\"read\",\"file:not-the-file\",3]"
is "... numbers that fit" "$(jq '(.changes | map(.count) | add) == .changed and .decided >= .changed' "$OUT")" true
leash_run replay --profile locked
is "a profile: exit 1" "$RC" 1
like "... what it forbids" "$(out)" 'allow -> deny  '
is "nothing was done again" "$(cat "$WORK/file")$(ls "$WORK")" "datafile
strict.cedar"

# ---- Names on a terminal
leash_run -I -- sh -c 'touch "$(printf "evil\033[31m")"'
user_file "$WORK/nothing.cedar" <<<'forbid (principal, action, resource);'
leash_run replay --policy "$WORK/nothing.cedar"
like "a name that would write on the terminal: shown" "$(out)" 'evil'
unlike "... and harmless" "$(out)" $'\033'

# ---- Many
leash_run -I -- sh -c 'i=0; while [ $i -lt 60 ]; do : >f$i; i=$((i + 1)); done'
leash_run replay --policy "$WORK/nothing.cedar"
like "many: some are shown" "$(out)" '^\.\.\. and [0-9]+ more; --all shows them$'
leash_run replay --policy "$WORK/nothing.cedar" --all
is "... all, if that is wanted" "$(grep -c 'file.create .*/f[0-9]*' "$OUT")" 60

# ---- Mistakes
leash_run replay 20200101-000000-none
like "no such session: exit 2" "$RC:$(err)" '^2:.*20200101'
leash_run replay --policy "$WORK/absent.cedar"
like "no such policy: exit 2" "$RC:$(err)" '^2:.*absent.cedar'
user_file "$WORK/broken.cedar" <<<'permit ('
leash_run replay --policy "$WORK/broken.cedar"
like "a broken one: exit 2, with the place" "$RC:$(err)" '^2:.*broken.cedar:2:1: error'
leash_run replay one two
is "two sessions: exit 2" "$RC" 2

done_testing
