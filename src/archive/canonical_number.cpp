#include "archive/canonical_number.hpp"

#include <cstdint>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::archive {
namespace {

constexpr std::string_view not_a_number = "not a number";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits with their point. Positions are counted in 64 bits: the text may be megabytes of zeros.
struct mantissa {
  decimal number;
  std::int64_t whole_digits = 0;     ///< digits before the point
  std::int64_t first_position = -1;  ///< of the first significant digit, counted over all digits
  bool any = false;
  bool too_long = false;

  void add(char digit, std::int64_t position) {
    any = true;
    if (digit == '0' && first_position < 0) return;
    if (first_position < 0) first_position = position;
    const std::int64_t place = position - first_position;
    if (digit == '0') return;
    if (place >= decimal::max_digits) {
      too_long = true;
      return;
    }
    while (number.count < place) number.digits[static_cast<std::size_t>(number.count++)] = '0';
    number.digits[static_cast<std::size_t>(number.count++)] = digit;
  }
};

/// Up to ±10^15, far beyond any text's length; what is larger stays there.
std::int64_t saturating(std::int64_t value, char digit) {
  constexpr std::int64_t limit = 1'000'000'000'000'000;
  return value >= limit ? limit : value * 10 + (digit - '0');
}

}  // namespace

decimal_reading read_decimal(std::string_view text) {
  std::size_t i = 0;
  const auto sign = [&] {
    const bool minus = i < text.size() && text[i] == '-';
    if (minus || (i < text.size() && text[i] == '+')) ++i;
    return minus;
  };
  mantissa m;
  m.number.negative = sign();
  std::int64_t position = 0;
  while (i < text.size() && is_digit(text[i])) m.add(text[i++], position++);
  m.whole_digits = position;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && is_digit(text[i]); ++i) m.add(text[i], position++);
  }
  if (!m.any) return {{}, not_a_number};

  std::int64_t exponent = 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    const bool minus = sign();
    if (i == text.size()) return {{}, not_a_number};
    while (i < text.size() && is_digit(text[i])) exponent = saturating(exponent, text[i++]);
    if (minus) exponent = -exponent;
  }
  if (i != text.size()) return {{}, not_a_number};

  if (m.number.count == 0) return {};
  if (m.too_long) return {{}, "a number of more than 38 significant digits"};
  exponent += m.whole_digits - 1 - m.first_position;
  if (exponent > decimal::greatest_exponent) return {{}, "a number beyond 9.99E+125"};
  if (exponent < decimal::least_exponent) return {{}, "a number below 1E-130"};
  m.number.exponent = static_cast<int>(exponent);
  return {m.number, {}};
}

void append_decimal(std::string& out, const decimal& number) {
  if (number.count == 0) {
    out += '0';
    return;
  }
  if (number.negative) out += '-';
  const std::string_view digits(number.digits.data(), static_cast<std::size_t>(number.count));
  if (number.exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-number.exponent - 1), '0');
    out += digits;
    return;
  }
  const auto whole = static_cast<std::size_t>(number.exponent) + 1;
  out += digits.substr(0, whole);
  if (digits.size() < whole) out.append(whole - digits.size(), '0');
  if (digits.size() > whole) (out += '.') += digits.substr(whole);
}

std::string canonical_number(std::string_view text) {
  const auto reading = read_decimal(text);
  if (!reading.problem.empty()) throw format_error(std::string(reading.problem));
  std::string out;
  append_decimal(out, reading.number);
  return out;
}

}  // namespace dynabackup::archive
