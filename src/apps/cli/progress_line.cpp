#include "progress_line.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/configuration/text_forms.hpp"

namespace dynabackup::cli {
using namespace apps;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds plain_line_every{10'000};
constexpr std::string_view wipe_line = "\r\x1b[K";

/// Cut to `columns`; every character of a progress line is one byte and one column.
std::string_view fitted(std::string_view text, std::size_t columns) {
  return text.substr(0, std::max<std::size_t>(columns, 1));
}

}  // namespace

std::string progress_text(const progress& seen, milliseconds elapsed, double items_per_second) {
  std::string text = fmt::format("{} items  {}  {} items/s  {} in flight", grouped(seen.items), size_text(seen.bytes),
                                 grouped(static_cast<std::uint64_t>(items_per_second)), seen.in_flight);
  if (seen.retries > 0) text += fmt::format("  {} retries", grouped(seen.retries));
  if (seen.throttles > 0) text += fmt::format("  {} throttled", grouped(seen.throttles));
  if (seen.lag) text += fmt::format("  {} behind", duration_text(std::chrono::ceil<seconds>(*seen.lag)));
  text += "  " + duration_text(std::chrono::duration_cast<seconds>(elapsed));
  if (seen.expected_items && *seen.expected_items > seen.items && items_per_second > 0) {
    const double left = static_cast<double>(*seen.expected_items - seen.items) / items_per_second;
    constexpr double longest = 100 * 3600;  // more than that is a guess, not an estimate
    if (left < longest) text += fmt::format("  about {} left", duration_text(seconds{static_cast<long>(left)}));
  }
  return text;
}

double rate_meter::update(std::uint64_t items, milliseconds elapsed) {
  constexpr milliseconds window{10'000};
  samples_.push_back({items, elapsed});
  while (samples_.size() > 2 && elapsed - samples_[1].at >= window) samples_.pop_front();
  const sample& oldest = samples_.front();
  const auto span = elapsed - oldest.at;
  if (span <= milliseconds{0} || items < oldest.items) return 0;
  return static_cast<double>(items - oldest.items) * 1000 / static_cast<double>(span.count());
}

void progress_display::tick(progress& seen, milliseconds elapsed) {
  show_notices(seen);
  const double rate = rate_.update(seen.items, elapsed);
  if (how_.quiet) return;
  if (how_.terminal) {
    const std::string text = progress_text(seen, elapsed, rate);
    how_.write(fmt::format("{}{}", wipe_line, fitted(text, how_.columns() - 1)));
    drawn_ = true;
  } else if (elapsed >= next_line_) {
    how_.write(progress_text(seen, elapsed, rate) + "\n");
    next_line_ = elapsed + plain_line_every;
  }
}

void progress_display::finish(progress& seen) {
  show_notices(seen);
  wipe();
}

void progress_display::show_notices(progress& seen) {
  if (seen.notices.empty()) return;
  if (!how_.quiet) {
    wipe();
    for (const std::string& notice : seen.notices) how_.write(printable(notice) + "\n");
  }
  seen.notices.clear();
}

void progress_display::wipe() {
  if (drawn_) how_.write(wipe_line);
  drawn_ = false;
}

display_settings stderr_display(bool quiet) {
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  display_settings how;
  how.terminal = isatty(STDERR_FILENO) == 1 && !dumb;
  how.quiet = quiet;
  how.write = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  how.columns = []() -> std::size_t {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
  };
  return how;
}

}  // namespace dynabackup::cli
