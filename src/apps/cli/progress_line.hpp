// What a run is doing, on stderr: one line rewritten on a terminal, a plain line every ten seconds elsewhere. Notices
// pass above it.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/report.hpp"

namespace dynabackup::cli {

/// "1,234 items  5.6 MB  321 items/s  32 in flight  3 retries  1 throttled  0:42  about 1:10 left"
std::string progress_text(const progress& seen, std::chrono::milliseconds elapsed, double items_per_second);

/// Items a second over the last ten seconds.
class rate_meter {
 public:
  double update(std::uint64_t items, std::chrono::milliseconds elapsed);

 private:
  struct sample {
    std::uint64_t items;
    std::chrono::milliseconds at;
  };
  std::deque<sample> samples_{{0, std::chrono::milliseconds{0}}};
};

struct display_settings {
  bool terminal = false;
  bool quiet = false;  ///< neither progress nor notices
  std::function<void(std::string_view)> write;
  std::function<std::size_t()> columns;  ///< of the terminal, now
};

class progress_display {
 public:
  explicit progress_display(display_settings how) : how_(std::move(how)) {}
  /// Shows and clears the notices, and the line when its time has come.
  void tick(progress& seen, std::chrono::milliseconds elapsed);
  /// The last notices; the terminal's line is wiped, so that what follows starts on a clean one.
  void finish(progress& seen);

 private:
  void show_notices(progress& seen);
  void wipe();

  display_settings how_;
  rate_meter rate_;
  std::chrono::milliseconds next_line_{10'000};
  bool drawn_ = false;
};

/// stderr as it is: a terminal or not, as wide as it is.
display_settings stderr_display(bool quiet);

}  // namespace dynabackup::cli
