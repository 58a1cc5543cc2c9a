#!/usr/bin/env bash
# `leash cedar` as a user of Cedar's own command would type it: the examples of
# its documentation (the photo application, templates, levels, JSON policies),
# flags in both forms, standard input, exit codes, and mistakes.

. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

# cedar ARGUMENT…: leaves OUT, ERR and RC.
cedar() {
	RUN_SHOWN=
	timeout -k 10 "$TIME_LIMIT" "$LEASH" cedar "$@" >"$OUT" 2>"$ERR"
	RC=$?
}

# answers NAME WANTED-STATUS WANTED-OUTPUT ARGUMENT…; blank lines around the output do not count.
answers() {
	local name=$1 status=$2 output=$3
	shift 3
	cedar "$@"
	is "$name" "$RC:$(sed '/./,$!d' "$OUT")" "$status:$output"
}

# ---- The photo application, groups alone
cat >entities.json <<'EOF'
[
  { "uid": { "type": "User", "id": "alice" }, "attrs": {}, "parents": [{ "type": "UserGroup", "id": "jane_friends" }] },
  { "uid": { "type": "User", "id": "bob" }, "attrs": {}, "parents": [] },
  { "uid": { "type": "User", "id": "tim" }, "attrs": {}, "parents": [{ "type": "UserGroup", "id": "jane_friends" }] },
  { "uid": { "type": "UserGroup", "id": "jane_friends" }, "attrs": {}, "parents": [] },
  { "uid": { "type": "Album", "id": "jane_vacation" }, "attrs": {}, "parents": [{ "type": "Account", "id": "jane" }] },
  { "uid": { "type": "Account", "id": "jane" }, "attrs": {}, "parents": [] },
  { "uid": { "__entity": { "type": "Photo", "id": "VacationPhoto94.jpg" } }, "attrs": {},
    "parents": [{ "type": "Album", "id": "jane_vacation" }] }
]
EOF
cat >groups.cedar <<'EOF'
// Friends may look at this photo.
@id("jane's friends view-permission policy")
permit (
  principal in UserGroup::"jane_friends",
  action == Action::"view",
  resource == Photo::"VacationPhoto94.jpg"
);

@id("disallow tim policy")
forbid (
  principal == User::"tim",
  action,
  resource == Photo::"VacationPhoto94.jpg"
);
EOF
cat >lists.cedar <<'EOF'
permit (
  principal == User::"alice",
  action in [Action::"view", Action::"edit", Action::"delete"],
  resource in Album::"jane_vacation"
);

permit (
  principal == User::"bob",
  action == Action::"view",
  resource in Album::"jane_vacation"
);
EOF
cat >schema.cedarschema <<'EOF'
entity User in [UserGroup];
entity UserGroup, Account;
entity Album in [Account];
entity Photo in [Album, Account];
action view, edit, delete, comment appliesTo { principal: User, resource: [Photo, Album] };
action listPhotos appliesTo { principal: User, resource: Album };
EOF
# decides NAME WANTED PRINCIPAL ACTION RESOURCE FILE
decides() {
	local status=0
	[ "$2" = ALLOW ] || status=2
	answers "$1" "$status" "$2" authorize --principal "User::\"$3\"" --action "Action::\"$4\"" --resource "$5" \
		--policies "$6" --entities entities.json
}
photo='Photo::"VacationPhoto94.jpg"'
decides "alice, a friend, views the photo" ALLOW alice view "$photo" groups.cedar
decides "tim is forbidden to" DENY tim view "$photo" groups.cedar
decides "bob is no friend" DENY bob view "$photo" groups.cedar
for action in view edit delete; do
	decides "a list of actions: $action" ALLOW alice "$action" "$photo" lists.cedar
done
decides "... but not comment" DENY alice comment "$photo" lists.cedar
decides "bob may view in the album" ALLOW bob view "$photo" lists.cedar
decides "... not edit" DENY bob edit "$photo" lists.cedar

cedar authorize -l 'User::"tim"' -a 'Action::"view"' -r "$photo" -p groups.cedar --entities entities.json --verbose
is "--verbose, short flags: the decision first" "$RC:$(sed -n 2p "$OUT")" 2:DENY
like "... names the policy" "$(out)" 'due to the following policies:'
like "... by its @id" "$(out)" '^  disallow tim policy$'
cedar authorize -l 'User::"bob"' -a 'Action::"view"' -r "$photo" -p groups.cedar --entities entities.json -v
like "... or that none applied" "$(out)" 'no policies applied to this request'
cedar authorize --timing -l 'User::"alice"' -a 'Action::"view"' -r "$photo" -p groups.cedar --entities entities.json
like "--timing" "$RC $(out | tr '\n' ' ')" '^0 .*Authorization Time \(micro seconds\) : [0-9]+ ALLOW'
"$LEASH" cedar authorize -l 'User::"alice"' -a 'Action::"view"' -r "$photo" --entities entities.json <groups.cedar >"$OUT" 2>"$ERR"
is "policies from standard input" "$?:$(sed -n 2p "$OUT")" 0:ALLOW
"$LEASH" cedar authorize -l 'User::"alice"' -a 'Action::"view"' -r "$photo" --entities - -p groups.cedar <entities.json >"$OUT" 2>"$ERR"
is "entities from -" "$?:$(sed -n 2p "$OUT")" 0:ALLOW

cat >request.json <<'EOF'
{ "principal": "User::\"alice\"", "action": "Action::\"view\"", "resource": "Photo::\"VacationPhoto94.jpg\"", "context": {} }
EOF
answers "--request-json" 0 ALLOW authorize --request-json request.json --policies groups.cedar --entities entities.json
answers "with a schema" 0 ALLOW authorize --request-json request.json -p groups.cedar --entities entities.json -s schema.cedarschema
answers "a request that the schema does not know" 1 "" authorize -l 'User::"alice"' -a 'Action::"fly"' -r "$photo" \
	-p groups.cedar --entities entities.json -s schema.cedarschema
like "... says so" "$(err)" 'fly'
answers "... without that check" 2 DENY authorize -l 'User::"alice"' -a 'Action::"fly"' -r "$photo" -p groups.cedar \
	--entities entities.json -s schema.cedarschema --request-validation=false

# ---- Expressions
answers "evaluate: in" 0 true evaluate --principal 'User::"alice"' --action 'Action::"listPhotos"' \
	--resource 'Album::"jane_vacation"' --entities entities.json 'resource in Account::"jane"'
answers "evaluate: contains" 0 true evaluate --request-json request.json '["a",true,10].contains(10)'
answers "evaluate: if" 0 '"good"' evaluate --request-json request.json 'if 10 > 5 then "good" else "bad"'
answers "evaluate: without entities" 0 false evaluate --request-json request.json 'principal in UserGroup::"jane_friends"'
answers "evaluate: a value of an extension type" 0 'decimal("1.50")' evaluate --request-json request.json 'decimal("1.50")'
answers "evaluate: a computed one" 0 'duration("3600000ms")' evaluate --request-json request.json \
	'datetime("2024-10-15T01:00:00Z").durationSince(datetime("2024-10-15"))'
answers "evaluate: an error" 1 "" evaluate --request-json request.json 'principal.age > 1'
like "... with its place" "$(err)" '<expression>:1:1: error: '
answers "evaluate: no expression" 1 "" evaluate --request-json request.json '1 +'
like "... with its place" "$(err)" '<expression>:1:4: error: '

# ---- Attributes, errors, context
cat >attributes.json <<'EOF'
[
  { "uid": { "type": "User", "id": "alice" }, "attrs": { "department": "HardwareEngineering", "jobLevel": 5 }, "parents": [] },
  { "uid": { "type": "User", "id": "ahmad" }, "attrs": { "department": "HardwareEngineering", "jobLevel": 4 }, "parents": [] },
  { "uid": { "type": "User", "id": "stacey" }, "attrs": { "jobLevel": 7 }, "parents": [] }
]
EOF
cat >attributes.cedar <<'EOF'
permit (principal, action == Action::"view", resource)
when { principal.department == "HardwareEngineering" && principal.jobLevel >= 5 };
EOF
level() {
	cedar authorize -l "User::\"$1\"" -a 'Action::"view"' -r 'Photo::"prototype_v0.jpg"' -p attributes.cedar --entities attributes.json
}
level alice
is "attributes: alice" "$RC" 0
level ahmad
is "attributes: ahmad's level is too low" "$RC" 2
level stacey
is "attributes: an error skips the policy" "$RC:$(sed -n 2p "$OUT")" 2:DENY
like "... and is printed" "$(out)" '^error while evaluating policy `policy0`: .*department'
cat >addresses.cedar <<'EOF'
permit (principal, action, resource) unless { context.source_ip.isInRange(ip("222.222.222.0/24")) };
EOF
echo '{ "source_ip": { "__extn": { "fn": "ip", "arg": "222.222.222.101" } } }' >inside.json
echo '{ "source_ip": { "__extn": { "fn": "ip", "arg": "10.0.0.1" } } }' >outside.json
context() {
	cedar authorize -l 'User::"a"' -a 'Action::"view"' -r 'Photo::"p"' -p addresses.cedar --entities attributes.json --context "$1"
}
context outside.json
is "--context: an address outside" "$RC" 0
context inside.json
is "--context: an address inside" "$RC" 2
context nowhere.json
is "--context: no such file" "$RC" 1
like "... is named" "$(err)" 'nowhere\.json'

# ---- Validation
cat >typo.cedar <<'EOF'
permit (principal in UsrGroup::"jane_friends", action == Action::"view", resource);
EOF
cedar validate --policies groups.cedar --schema schema.cedarschema
is "validate: good ones" "$RC" 0
like "... says so" "$(out)" 'policy set validation passed'
cedar validate --policies typo.cedar --schema schema.cedarschema
is "validate: a mistyped name" "$RC" 3
like "... says so" "$(out)" 'policy set validation failed'
like "... where" "$(err)" 'typo\.cedar:1:[0-9]+: error: .*UsrGroup'
cedar validate --policies nowhere.cedar --schema schema.cedarschema
is "validate: no such policies" "$RC" 1
cedar validate --policies groups.cedar --schema nowhere.cedarschema
is "validate: no such schema" "$RC" 1
cedar validate --policies groups.cedar
is "validate: without a schema" "$RC" 2
echo 'permit (principal == Photo::"p", action == Action::"view", resource);' >never.cedar
cedar validate -p never.cedar -s schema.cedarschema
is "validate: a warning" "$RC" 0
like "... is shown" "$(err)" 'never\.cedar:1:[0-9]+: warning: '
cedar validate -p never.cedar -s schema.cedarschema --deny-warnings
is "... and is an error with --deny-warnings" "$RC" 3
cat >loose.cedarschema <<'EOF'
entity User { jobLevel: Long, manager: User };
entity Group;
action act appliesTo { principal: User, resource: User };
EOF
echo 'permit (principal, action, resource) when { principal.manager.jobLevel > 5 };' >level2.cedar
cedar validate --level 2 -p level2.cedar -s loose.cedarschema
is "--level 2: two steps" "$RC" 0
cedar validate --level 1 -p level2.cedar -s loose.cedarschema
is "--level 1: too few" "$RC" 3
echo 'permit (principal, action, resource) when { [].isEmpty() };' >mixed.cedar
cedar validate -p mixed.cedar -s loose.cedarschema
is "strict validation" "$RC" 3
cedar validate -p mixed.cedar -s loose.cedarschema --validation-mode permissive
is "permissive validation" "$RC" 0

# ---- Templates
cat >template.cedar <<'EOF'
@id("AccessVacation")
permit (
  principal in ?principal,
  action == Action::"view",
  resource == Photo::"VacationPhoto94.jpg"
);
EOF
friend() {
	cedar authorize -l "User::\"$1\"" -a 'Action::"view"' -r "$photo" -p template.cedar --entities entities.json "${@:2}"
}
friend alice
is "a template alone permits nothing" "$RC" 2
cedar link --policies template.cedar --template-linked linked --template-id AccessVacation --new-id AliceAccess \
	--arguments '{ "?principal" : "User::\"alice\"" }'
like "link prints the policy" "$RC $(out)" '^0 Template-linked policy added: .*permit ?\(principal in User::"alice"'
is "... and writes the link" "$(jq -c . linked)" \
	'[{"template_id":"AccessVacation","link_id":"AliceAccess","args":{"?principal":"User::\"alice\""}}]'
friend alice --template-linked linked -v
is "... which authorize reads" "$RC" 0
like "... under its id" "$(out)" '^  AliceAccess$'
friend bob -k linked
is "... and which is for alice alone" "$RC" 2
cedar link -p template.cedar -k linked --template-id AccessVacation -n BobAccess -a '{"?principal": "User::\"bob\""}'
is "a second link" "$RC:$(jq -r '.[].link_id' linked | tr '\n' ' ')" "0:AliceAccess BobAccess "
friend bob -k linked
is "... works as well" "$RC" 0
cedar validate -p template.cedar -k linked -s schema.cedarschema
is "validate with links" "$RC" 0
cedar check-parse -p template.cedar -k linked
is "check-parse with links" "$RC" 0
cp linked before
cedar link -p template.cedar -k linked --template-id AccessVacation -n BobAccess -a '{"?principal": "User::\"bob\""}'
is "an id that is taken" "$RC" 1
cedar link -p template.cedar -k linked --template-id Nothing -n Other -a '{"?principal": "User::\"bob\""}'
is "no such template" "$RC" 1
cedar link -p template.cedar -k linked --template-id AccessVacation -n Other -a '{"?resource": "User::\"bob\""}'
is "a slot that it has not" "$RC" 1
cedar link -p template.cedar -k linked --template-id AccessVacation -n Other -a '{"?principal": "bob"}'
is "a value that is no entity" "$RC" 1
check "... none of which wrote anything" cmp linked before
friend alice -k nowhere
is "a file of links that is not there" "$RC" 1

# ---- JSON and translations
cat >policy.json <<'EOF'
{ "effect": "permit",
  "principal": { "op": "==", "entity": { "type": "User", "id": "bob" } },
  "action": { "op": "All" }, "resource": { "op": "All" }, "conditions": [] }
EOF
cedar check-parse --policy-format json --policies policy.json
is "check-parse: a policy in JSON" "$RC" 0
answers "authorize by it" 0 ALLOW authorize -l 'User::"bob"' -a 'Action::"view"' -r "$photo" -p policy.json \
	--policy-format json --entities entities.json
cedar translate-policy --direction cedar-to-json --policies groups.cedar
is "translate-policy to JSON" "$RC:$(jq -r '.staticPolicies | keys[]' "$OUT" | head -n 1)" "0:disallow tim policy"
cp "$OUT" set.json
answers "authorize by the set" 0 ALLOW authorize -l 'User::"alice"' -a 'Action::"view"' -r "$photo" -p set.json \
	--policy-format json --entities entities.json
"$LEASH" cedar translate-policy --direction json-to-cedar <set.json >back.cedar
is "... and back" "$?" 0
decides "... which decides as before" DENY tim view "$photo" back.cedar
cedar translate-schema --direction cedar-to-json --schema schema.cedarschema
is "translate-schema to JSON" "$RC:$(jq -r '.[""].entityTypes.Photo.memberOfTypes[1]' "$OUT")" 0:Account
cp "$OUT" schema.json
cedar validate -p groups.cedar --schema schema.json --schema-format json
is "... by which policies validate" "$RC" 0
cedar translate-schema --direction json-to-cedar -s schema.json
cp "$OUT" back.cedarschema
cedar validate -p groups.cedar -s back.cedarschema
is "... and back" "$RC" 0

# ---- What is left when not everything is known
cat >documents.cedarschema <<'EOF'
entity User;
entity Document { isPublic: Bool, owner: User };
action View appliesTo { principal: [User], resource: [Document], context: { hasMFA: Bool } };
action Delete appliesTo { principal: [User], resource: [Document], context: { hasMFA: Bool, srcIP: ipaddr } };
EOF
cat >documents.cedar <<'EOF'
permit (principal, action == Action::"View", resource) when { resource.isPublic };
permit (principal, action == Action::"View", resource) when { context.hasMFA && resource.owner == principal };
permit (principal, action == Action::"Delete", resource)
when { resource.owner == principal && context.hasMFA && context.srcIP.isInRange(ip("222.222.222.0/24")) };
EOF
echo '{ "hasMFA": true }' >mfa.json
echo '{ "hasMFA": false }' >no-mfa.json
echo '[{ "uid": { "type": "User", "id": "alice" }, "attrs": {}, "parents": [] }]' >users.json
# partially ARGUMENT…
partially() {
	cedar partially-authorize --schema documents.cedarschema --policies documents.cedar "$@"
}
partially -l 'User::"alice"' -a 'Action::"View"' --resource-type Document -c mfa.json --entities users.json
is "partially-authorize: it depends on the resource" "$RC:$(sed -n 2p "$OUT")" 4:UNKNOWN
like "... what is left of a policy" "$(out)" '^permit\(.*resource\.isPublic'
like "... and of another, without what is known" "$(out)" 'resource\.owner == User::"alice"'
unlike "... nothing of those for another action" "$(out)" 'srcIP'
partially -l 'User::"alice"' -a 'Action::"Delete"' --resource-type Document -c no-mfa.json --entities users.json
is "... a context of the wrong action" "$RC" 1
echo '{ "hasMFA": true, "srcIP": "10.0.0.1" }' >far.json
partially -l 'User::"alice"' -a 'Action::"Delete"' --resource-type Document -c far.json --entities users.json
is "... open although it cannot be allowed: the owner may be an error" "$RC:$(sed -n 2p "$OUT")" 4:UNKNOWN
partially -l 'User::"alice"' -a 'Action::"View"' -c mfa.json
is "... the only type of resource need not be given" "$RC" 4
partially -l 'User::"alice"' -a 'Action::"View"' --resource-type Document --resource-eid plan
is "... an unknown context" "$RC" 4
cat >plan.json <<'EOF'
[{ "uid": { "type": "Document", "id": "plan" }, "attrs": { "isPublic": true, "owner": { "type": "User", "id": "bob" } }, "parents": [] }]
EOF
partially -l 'User::"alice"' -a 'Action::"View"' -r 'Document::"plan"' --entities plan.json
is "... nothing depends on the context of a public document" "$RC:$(sed -n 2p "$OUT")" 0:ALLOW
sed -i 's/true/false/' plan.json
partially -l 'User::"alice"' -a 'Action::"View"' -r 'Document::"plan"' --entities plan.json -c no-mfa.json
is "... denied whatever is unknown" "$RC:$(sed -n 2p "$OUT")" 2:DENY
echo '{ "principal": "User::\"alice\"", "action": "Action::\"View\"", "resource_type": "Document", "context": { "hasMFA": true } }' >partial.json
partially --request-json partial.json
is "... from a file" "$RC" 4
partially -a 'Action::"View"' -l 'User::"alice"' --principal-type User
is "... a principal given twice" "$RC" 1
partially -l 'User::"alice"' --resource-type Document
is "... without an action" "$RC" 1
cedar partially-authorize -p documents.cedar -a 'Action::"View"'
is "... without a schema" "$RC" 2

# ---- Layout
printf 'permit(principal,action,resource)when{principal==resource.owner};// why\n' >wide.cedar
cat >laid-out.cedar <<'EOF'
permit (principal, action, resource)
when { principal == resource.owner }; // why
EOF
answers "format" 0 "$(cat laid-out.cedar)" format --policies wide.cedar
cedar format -l 30 -i 4 -p wide.cedar
like "format: narrower" "$(out)" '^    principal == resource\.owner'
cedar format --check -p wide.cedar
is "format --check: not formatted" "$RC" 1
cedar format -c -p laid-out.cedar
is "... formatted" "$RC" 0
chmod 640 wide.cedar
cedar format --write --policies wide.cedar
is "format --write says nothing" "$RC:$(out)" 0:
check "... writes the file" cmp wide.cedar laid-out.cedar
is "... and keeps its mode" "$(stat -c %a wide.cedar)" 640
cedar format --write
is "format --write without a file" "$RC" 2

# ---- Mistakes
cat >broken.cedar <<'EOF'
permit (principal, action, resource);
permit (principal, action, resource) when { 1 + };
forbid (principle, action, resource);
EOF
cedar check-parse --policies broken.cedar
is "check-parse: mistakes" "$RC" 1
like "... the first" "$(err)" '^broken\.cedar:2:[0-9]+: error: '
like "... and the second" "$(err)" '^broken\.cedar:3:[0-9]+: error: '
like "... with a caret" "$(err)" '\^'
cedar check-parse -f plain -p broken.cedar
is "--error-format plain: a line each" "$(grep -c ': error: ' "$ERR"):$(wc -l <"$ERR")" 2:2
cedar check-parse --error-format json -p broken.cedar
is "--error-format json" "$(jq -s -r '.[0] | "\(.filename) \(.line) \(.severity)"' "$ERR")" "broken.cedar 2 error"
"$LEASH" cedar check-parse <broken.cedar >"$OUT" 2>"$ERR"
is "check-parse reads standard input" "$?" 1
like "... and calls it so" "$(err)" '^<stdin>:2:'
cedar check-parse --schema schema.cedarschema --entities entities.json
is "check-parse: schema and entities" "$RC" 0
echo '[{ "uid": { "type": "User", "id": "x" }, "attrs": { "age": 1.5 }, "parents": [] }]' >real.json
cedar check-parse --entities real.json
is "check-parse: entities with a real number" "$RC" 1
like "... shows where" "$(err)" '^real\.json:1:[0-9]+: error: '
printf '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);\n' >twice.cedar
cedar check-parse -p twice.cedar
is "two policies of one id" "$RC" 1
like "... are named" "$(err)" 'twice\.cedar:2:1: error: .*`a`'
cedar authorize -l alice -a 'Action::"view"' -r "$photo" -p groups.cedar --entities entities.json
is "a principal that is no entity" "$RC" 1
like "... says what is expected" "$(err)" 'User::"alice"'
cedar authorize -l 'User::"alice"' -p groups.cedar --entities entities.json
is "a request without action and resource" "$RC" 1
cedar authorize --request-json request.json -l 'User::"alice"' -p groups.cedar --entities entities.json
is "flags that exclude each other" "$RC" 2
cedar authorize -l 'User::"alice"' -a 'Action::"view"' -r "$photo" -p groups.cedar
is "authorize without entities" "$RC" 2
cedar validte
is "a mistyped sub-command" "$RC" 2
like "... suggests the nearest" "$(err)" 'validate'
cedar authorize --polices x
is "a mistyped flag" "$RC" 2
like "... suggests the nearest" "$(err)" '--policies'
for command in authorize evaluate validate check-parse link format translate-policy translate-schema partially-authorize; do
	cedar "$command" --help
	like "$command --help" "$RC $(out)" "^0 Usage: leash cedar $command"
done
answers "language-version" 0 'Cedar language version: 4.5' language-version
for input in /dev/null "$LEASH"; do
	cedar check-parse -p "$input"
	is "check-parse: $(basename "$input") ends well" "$([ "$RC" -le 1 ] && echo yes)" yes
done
head -c 10000000 /dev/zero | tr '\0' '(' >brackets
for what in '-p brackets' '--schema brackets' '--entities brackets' '-p brackets --policy-format json' '--schema brackets --schema-format json'; do
	# shellcheck disable=SC2086
	cedar check-parse $what
	is "10 MB of brackets: check-parse $what" "$RC" 1
done

# ---- Hostile texts end soon, and say what is too much
yes '@id("a")permit(principal,action,resource);' | head -c 6000000 | sed '$d' >same-ids
(ulimit -t 10 && exec "$LEASH" cedar check-parse -p same-ids) >"$OUT" 2>"$ERR"
is "140,000 policies of one id: check-parse within 10 seconds" "$?" 1
like "... says how many are not shown" "$(tail -n 1 "$ERR")" '^leash: [0-9]+ more policies have the id of another$'
is "... in few lines" "$(($(wc -l <"$ERR") < 1000))" 1
head -c 4000000 same-ids | sed '$d' >large.cedar
(ulimit -t 10 && exec "$LEASH" policy check large.cedar) >"$OUT" 2>"$ERR"
is "a policy file that is too large: policy check" "$?" 1
like "... names the limit" "$(err)" 'large.cedar is larger than 3145728 bytes'
done_testing
