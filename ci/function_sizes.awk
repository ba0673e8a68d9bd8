# Prints "file:line<TAB>lines" for each function of the C++ files given (formatted by clang-format),
# from the line of its opening brace to that of its closing one. A lambda counts as part of the
# function that holds it. A brace opens a function if what stands before it ends as a function's
# head does and does not begin with a keyword that heads another kind of block.

function is_function(head) {
  gsub(/[ \t]+/, " ", head)
  sub(/^ /, "", head)
  sub(/ $/, "", head)
  while (head ~ /^template ?</) {  # up to the > that closes the list
    depth_angle = 0
    for (k = index(head, "<"); k <= length(head); ++k) {
      c = substr(head, k, 1)
      if (c == "<") ++depth_angle
      if (c == ">" && --depth_angle == 0) break
    }
    head = substr(head, k + 1)
    sub(/^ /, "", head)
  }
  if (head ~ /^(if|for|while|switch|else|do|try|catch|namespace|class|struct|union|enum|extern)[ (]?/) {
    if (head ~ /^(if|for|while|switch|else|do|try|catch|namespace|class|struct|union|enum|extern)([ (]|$)/) return 0
  }
  if (head ~ /[^=!<>]=$/ || head ~ /^(return|co_return|case|default)/) return 0
  return head ~ /\)/ && head ~ /(\)|const|noexcept|override|final|mutable|&|-> ?[A-Za-z_:<>*&, ]+)$/
}

FNR == 1 { depth = 0; inside = 0; head = ""; comment = 0; raw = "" }

{
  line = $0
  n = length(line)
  if (line ~ /^[ \t]*#/ && raw == "") next
  for (i = 1; i <= n; ++i) {
    if (raw != "") {
      at = index(substr(line, i), raw)
      if (at == 0) break
      i += at + length(raw) - 2
      raw = ""
      continue
    }
    c = substr(line, i, 1)
    two = substr(line, i, 2)
    if (comment) {
      if (two == "*/") { comment = 0; ++i }
      continue
    }
    if (two == "//") break
    if (two == "/*") { comment = 1; ++i; continue }
    if (two == "R\"") {
      open_at = index(substr(line, i), "(")
      raw = ")" substr(line, i + 2, open_at - 3) "\""
      i += open_at - 1
      continue
    }
    if (c == "\"" || (c == "'" && substr(line, i - 1, 1) !~ /[0-9A-Fa-f]/)) {
      for (++i; i <= n && substr(line, i, 1) != c; ++i) if (substr(line, i, 1) == "\\") ++i
      head = head "x"
      continue
    }
    if (c == "{") {
      ++depth
      if (!inside && is_function(head)) { inside = depth; begun = FNR }
      head = ""
    } else if (c == "}") {
      if (inside == depth) {
        print FILENAME ":" begun "\t" (FNR - begun + 1)
        inside = 0
      }
      --depth
      head = ""
    } else if (c == ";") {
      head = ""
    } else if (c == ":" && head ~ /^[ \t]*(public|private|protected)$/) {
      head = ""
    } else {
      head = head c
    }
  }
  head = head " "
}
