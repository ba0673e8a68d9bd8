// A page of its own for a test, and what a browser makes of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <regex>
#include <string>
#include <thread>

#include "browser.h"

namespace oj::sim {

namespace fs = std::filesystem;

// How often the pattern is in the text.
inline std::ptrdiff_t CountOf(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), regex), {});
}

class PageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "oj-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    page_ = dir_ / "page.html";
  }
  // A browser's helpers may outlive it for a moment, and write.
  void TearDown() override {
    std::error_code error;
    for (int i = 0; i < 50 && fs::exists(dir_, error); ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      fs::remove_all(dir_, error);
    }
  }

  // Fails where the page wrote to the console.
  std::string DomOf(const std::string& fragment = "", Mode mode = Mode::kLight) {
    const Opened opened = Open(page_, fragment, dir_, mode);
    EXPECT_EQ(opened.why, "");
    EXPECT_EQ(opened.console, "");
    return opened.dom;
  }

  fs::path dir_;
  fs::path page_;
};

}  // namespace oj::sim
