// A page of its own for a test, and what a browser makes of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

// Of each text that is seen: its colour against what is behind it. Says how many lanes have faded,
// whether it is dark, and all texts that are too faint.
inline constexpr const char* kContrast = R"(
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (below, [r, g, b, a]) => [r, g, b].map((x, i) => below[i] + (x - below[i]) * a / 255);
  const light = (c) => c.map((x) => x / 255).map((x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const colours = (chain, below) => {  // [behind the text, the text]
    const style = getComputedStyle(chain[0]), behind = over(below, rgba(style.backgroundColor));
    const both = chain.length > 1 ? colours(chain.slice(1), behind) : [behind, over(behind, rgba(style.color))];
    return both.map((c) => c.map((x, i) => below[i] + (x - below[i]) * style.opacity));
  };
  const faint = [];
  for (const node of document.body.querySelectorAll('*')) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || node.tagName === 'SCRIPT' || !node.checkVisibility()) continue;
    const chain = [];
    for (let at = node; at; at = at.parentElement) chain.unshift(at);
    const [a, b] = colours(chain, [255, 255, 255]).map(light).sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${node.className} ${node.textContent} ${(a + 0.05) / (b + 0.05)}`);
  }
  return [document.querySelectorAll('.picked .lane:not(.rel)').length, matchMedia('(prefers-color-scheme: dark)').matches, ...faint];
)";

// What kContrast says where no text is too faint.
inline std::string Said(const std::string& faded, const std::string& dark) {
  return "data-said=\"" + faded + "," + dark + "\"";
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

  // Runs behind the page's own script; what it returns is in the attribute data-said of the body.
  void Afterwards(const std::string& script) {
    std::ofstream(page_, std::ios::app)
        << "<script>const press = (key) => document.activeElement.dispatchEvent(new "
           "KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})); const span = () => "
           "view[1] - view[0]; document.body.dataset.said = "
           "String((() => {"
        << script << "})());</script>";
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
