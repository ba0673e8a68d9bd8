// oj-harness: runs scenarios and judges them by the laws.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <iostream>

#include "app/harness_app.h"
#include "lab/lab_cli.h"

namespace {

// What is opened later never gets the place of a standard stream that was closed.
void OpenStandardStreams() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

int Main(int argc, char** argv) {
  oj::sim::Chosen chosen;
  const auto app = oj::sim::MakeHarnessApp(chosen, oj::sim::TakeLabCommand(argc, argv));
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? 0 : 2;
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "oj-harness: " << error.what() << '\n';
    return 2;
  }
}
