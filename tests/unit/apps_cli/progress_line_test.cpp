#include "apps/cli/progress_line.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <utility>

namespace dynabackup::cli {
namespace {

using namespace std::chrono_literals;

progress some_progress() {
  progress seen;
  seen.items = 1'234'567;
  seen.bytes = 512'345'678;
  seen.in_flight = 32;
  return seen;
}

/// A display that writes into a string.
struct recorded {
  std::shared_ptr<std::string> out = std::make_shared<std::string>();
  display_settings how(bool terminal, bool quiet = false, std::size_t columns = 200) {
    return {terminal, quiet, [out = out](std::string_view text) { *out += text; }, [columns] { return columns; }};
  }
  std::string taken() { return std::exchange(*out, {}); }
};

TEST_CASE("the line says what there is to say") {
  progress seen = some_progress();
  CHECK(progress_text(seen, 42s, 12'345.6) == "1,234,567 items  512.3 MB  12,345 items/s  32 in flight  0:42");
  seen.retries = 3;
  seen.throttles = 1'000;
  CHECK(progress_text(seen, 3'725s, 0) ==
        "1,234,567 items  512.3 MB  0 items/s  32 in flight  3 retries  1,000 throttled  1:02:05");
}

TEST_CASE("the rest is estimated where it can be") {
  progress seen = some_progress();
  seen.expected_items = 1'234'567 + 7'000;
  CHECK(progress_text(seen, 42s, 100).ends_with("  0:42  about 1:10 left"));
  CHECK(progress_text(seen, 42s, 0).ends_with("  0:42"));
  CHECK(progress_text(seen, 42s, 0.000'001).ends_with("  0:42"));
  seen.expected_items = 5;
  CHECK(progress_text(seen, 42s, 100).ends_with("  0:42"));
}

TEST_CASE("the rate is that of the last ten seconds") {
  rate_meter rate;
  CHECK(rate.update(0, 0ms) == 0);
  CHECK(rate.update(100, 1s) == 100);
  CHECK(rate.update(200, 2s) == 100);
  CHECK(rate.update(1'200, 12s) == 100);
  CHECK(rate.update(1'200, 22s) == 0);
  CHECK(rate.update(1'000, 23s) == 0);
}

TEST_CASE("a terminal's line is rewritten, cut to its width, and wiped at the end") {
  recorded screen;
  progress_display display(screen.how(true, false, 21));
  progress seen = some_progress();
  display.tick(seen, 1s);
  CHECK(screen.taken() == "\r\x1b[K1,234,567 items  512");
  display.finish(seen);
  CHECK(screen.taken() == "\r\x1b[K");
  display.finish(seen);
  CHECK(screen.taken() == "");
}

TEST_CASE("notices pass above the line, once") {
  recorded screen;
  progress_display display(screen.how(true));
  progress seen;
  display.tick(seen, 1s);
  screen.taken();
  seen.notices = {"this costs $5", "wait\x1b[2J"};
  display.tick(seen, 2s);
  CHECK(screen.taken() == "\r\x1b[Kthis costs $5\nwait?[2J\n\r\x1b[K0 items  0 B  0 items/s  0 in flight  0:02");
  CHECK(seen.notices.empty());
  seen.notices = {"bye"};
  display.finish(seen);
  CHECK(screen.taken() == "\r\x1b[Kbye\n");
}

TEST_CASE("elsewhere a plain line every ten seconds") {
  recorded log;
  progress_display display(log.how(false));
  progress seen = some_progress();
  for (auto now = 0ms; now < 10s; now += 200ms) display.tick(seen, now);
  CHECK(log.taken() == "");
  display.tick(seen, 10s);
  CHECK(log.taken() == "1,234,567 items  512.3 MB  0 items/s  32 in flight  0:10\n");
  display.tick(seen, 19'900ms);
  CHECK(log.taken() == "");
  display.tick(seen, 20'100ms);
  CHECK(log.taken().ends_with("0:20\n"));
  seen.notices = {"a notice"};
  display.tick(seen, 21s);
  CHECK(log.taken() == "a notice\n");
  display.finish(seen);
  CHECK(log.taken() == "");
}

TEST_CASE("quiet shows neither line nor notice") {
  for (const bool terminal : {true, false}) {
    recorded log;
    progress_display display(log.how(terminal, true));
    progress seen = some_progress();
    seen.notices = {"a notice"};
    display.tick(seen, 11s);
    CHECK(seen.notices.empty());
    display.finish(seen);
    CHECK(log.taken() == "");
  }
}

}  // namespace
}  // namespace dynabackup::cli
