# cmake -DFILE=page.html -DNAME=kPageHtml -DOUT=page_html.cc -P embed.cmake: a file's text as a
# constant oj::sim::NAME. A literal may have 65536 characters on every compiler: longer files are
# cut into several, which the compiler joins.
file(READ "${FILE}" text)
set(literals "")
string(LENGTH "${text}" left)
set(at 0)
while(left GREATER 0)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND literals "R\"~~~~(${piece})~~~~\"\n")
  math(EXPR at "${at} + 8000")
  math(EXPR left "${left} - 8000")
endwhile()
file(WRITE "${OUT}" "#include \"report/page.h\"\nnamespace oj::sim {\n"
                    "const std::string_view ${NAME} =\n${literals};\n}\n")
