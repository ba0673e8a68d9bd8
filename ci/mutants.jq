# The lines of ci/mutants as the JSON that `oj-harness report` draws. $about: a line for each mutant,
# its name and what it is; $failed: not 0 if one was not found.
def number: if test("^[0-9.]+$") then tonumber elif . == "-" then null else . end;
($about | split("\n") | map(select(. != "") | split("\t") | {(.[0]): .[1]}) | add) as $of |
{ about: "Small, believable defects of the daemon, each hunted as its header says",
  failed: ($failed != 0),
  mutants: [inputs | split("\t") |
    { name: .[0], about: ($of[.[0]] // ""), breaks: .[1], found_by: .[2],
      runs: (.[3] | number), operations: (.[4] | number), decisions: (.[5] | number),
      ms: (.[6] | number), fifo: .[7] }] }
