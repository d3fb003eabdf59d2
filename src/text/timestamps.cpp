#include "text/timestamps.hpp"

#include <array>
#include <fmt/format.h>

namespace dynabackup::text {
namespace {

using namespace std::chrono;

struct civil {
  int year;
  unsigned month, day;
  int hour, minute, second, milli;
};

civil civil_of(millis t) {
  const auto midnight = floor<days>(t);
  const year_month_day date{midnight};
  const hh_mm_ss<milliseconds> time{t - midnight};
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<int>(time.hours().count()),
          .minute = static_cast<int>(time.minutes().count()),
          .second = static_cast<int>(time.seconds().count()),
          .milli = static_cast<int>(time.subseconds().count())};
}

/// Nothing when the calendar or the clock has no such moment. A leap second is the second that follows it.
std::optional<millis> moment(const civil& c) {
  const year_month_day date{year{c.year}, month{c.month}, day{c.day}};
  if (!date.ok() || c.hour > 23 || c.minute > 59 || c.second > 60) return std::nullopt;
  return millis{sys_days{date}} + hours{c.hour} + minutes{c.minute} + seconds{c.second} + milliseconds{c.milli};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a text from the left; the first thing missing makes it fail for good.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || !is_digit(rest_.front())) {
        fail();
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  void expect(std::string_view text) {
    if (!accept(text)) fail();
  }

  bool accept(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) {
    for (unsigned i = 0; i < N; ++i)
      if (accept(names[i])) return i;
    fail();
    return 0;
  }

  /// Whatever digits there are, as milliseconds; what is finer is dropped.
  int fraction() {
    if (rest_.empty() || !is_digit(rest_.front())) fail();
    int value = 0;
    for (int weight = 100; !rest_.empty() && is_digit(rest_.front()); weight /= 10) {
      value += (rest_.front() - '0') * weight;
      rest_.remove_prefix(1);
    }
    return value;
  }

  [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

/// "Z" or "+hh:mm", as what has to be taken away to get UTC; nothing when there is no such offset.
std::optional<minutes> read_offset(reader& in) {
  if (in.accept("Z") || in.accept("z")) return minutes{0};
  const bool west = in.accept("-");
  if (!west) in.expect("+");
  const int whole_hours = in.digits(2);
  in.expect(":");
  const int rest = in.digits(2);
  if (whole_hours > 23 || rest > 59) return std::nullopt;
  const minutes east = hours{whole_hours} + minutes{rest};
  return west ? -east : east;
}

}  // namespace

std::string amz_date(millis t) {
  const civil c = civil_of(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string rfc3339(millis t) {
  const civil c = civil_of(t);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.milli != 0) fmt::format_to(std::back_inserter(out), ".{:03}", c.milli);
  out += 'Z';
  return out;
}

std::string snapshot_name(millis t) {
  const civil c = civil_of(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}-{:02}-{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::optional<millis> parse_rfc3339(std::string_view text) {
  reader in(text);
  civil c{};
  c.year = in.digits(4);
  in.expect("-");
  c.month = static_cast<unsigned>(in.digits(2));
  in.expect("-");
  c.day = static_cast<unsigned>(in.digits(2));
  if (!in.accept("t")) in.expect("T");
  c.hour = in.digits(2);
  in.expect(":");
  c.minute = in.digits(2);
  in.expect(":");
  c.second = in.digits(2);
  if (in.accept(".")) c.milli = in.fraction();
  const std::optional<minutes> offset = read_offset(in);
  const std::optional<millis> local = moment(c);
  if (!in.complete() || !offset || !local) return std::nullopt;
  return *local - *offset;
}

std::optional<millis> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  reader in(text);
  civil c{};
  in.one_of(day_names);
  in.expect(", ");
  c.day = static_cast<unsigned>(in.digits(2));
  in.expect(" ");
  c.month = in.one_of(month_names) + 1;
  in.expect(" ");
  c.year = in.digits(4);
  in.expect(" ");
  c.hour = in.digits(2);
  in.expect(":");
  c.minute = in.digits(2);
  in.expect(":");
  c.second = in.digits(2);
  in.expect(" GMT");
  if (!in.complete()) return std::nullopt;
  return moment(c);
}

}  // namespace dynabackup::text
