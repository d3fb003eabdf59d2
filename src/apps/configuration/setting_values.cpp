#include "apps/configuration/setting_values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <fmt/format.h>

#include "apps/configuration/text_forms.hpp"

namespace dynabackup::apps {
namespace {

constexpr std::uint64_t max_parallelism = 1024;
constexpr std::uint64_t max_segments = 4096;
constexpr std::uint64_t max_attempts = 100;
constexpr std::uint64_t max_units = 10'000'000;
constexpr std::uint64_t min_memory_bytes = std::uint64_t{8} << 20;
constexpr std::uint64_t max_memory_bytes = std::uint64_t{64} << 30;
/// Leaves room for names in a key of at most 1024 bytes.
constexpr std::size_t max_prefix_bytes = 512;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// nullopt for what is no whole number; saturates.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  if (!is_digits(text)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} ? value : UINT64_MAX;
}

std::optional<std::string> problem_with_parallelism(std::string_view text) {
  if (text.starts_with('-') && is_digits(text.substr(1)))
    return fmt::format("{} is less than 1; the nearest allowed value is 1", in_quotes(text));
  const auto number = whole_number(text);
  if (!number)
    return fmt::format("{} is not a whole number; allowed are the powers of two from 1 to {}, such as 16, 32 and 64",
                       in_quotes(text), max_parallelism);
  if (*number < 1) return fmt::format("{} is less than 1; the nearest allowed value is 1", in_quotes(text));
  if (*number > max_parallelism)
    return fmt::format("{} is more than {}; the nearest allowed value is {}", in_quotes(text), max_parallelism,
                       max_parallelism);
  if (!std::has_single_bit(*number))
    return fmt::format("{} is not a power of two; the nearest allowed values are {} and {}", in_quotes(text),
                       std::bit_floor(*number), std::bit_ceil(*number));
  return std::nullopt;
}

std::optional<std::string> problem_with_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = whole_number(text);
  if (number && *number >= least && *number <= most) return std::nullopt;
  return fmt::format("{} is not a whole number from {} to {}", in_quotes(text), least, most);
}

std::optional<std::string> problem_with_flag(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "false" || word == "1" || word == "0") return std::nullopt;
  return fmt::format("{} is neither true nor false", in_quotes(text));
}

std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
  struct row {
    std::string_view unit;
    std::uint64_t bytes;
  };
  constexpr std::uint64_t k = 1000, ki = 1024;
  constexpr std::array<row, 11> rows{{{"", 1},
                                      {"b", 1},
                                      {"k", ki},
                                      {"kib", ki},
                                      {"kb", k},
                                      {"m", ki * ki},
                                      {"mib", ki * ki},
                                      {"mb", k * k},
                                      {"g", ki * ki * ki},
                                      {"gib", ki * ki * ki},
                                      {"gb", k * k * k}}};
  const std::string wanted = lower(unit);
  for (const row& r : rows)
    if (r.unit == wanted) return r.bytes;
  return std::nullopt;
}

/// nullopt for what is no size; saturates.
std::optional<std::uint64_t> size_in_bytes(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789");
  const auto count = whole_number(text.substr(0, digits));
  std::string_view unit = digits == std::string_view::npos ? std::string_view{} : text.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const auto factor = unit_bytes(unit);
  if (!count || !factor) return std::nullopt;
  return *count > UINT64_MAX / *factor ? UINT64_MAX : *count * *factor;
}

std::optional<std::string> problem_with_size(std::string_view text) {
  const auto size = size_in_bytes(text);
  if (!size) return fmt::format("{} is not a size; write it as 32MiB, 64M or in bytes", in_quotes(text));
  if (*size < min_memory_bytes || *size > max_memory_bytes)
    return fmt::format("{} is outside 8MiB to 64GiB", in_quotes(text));
  return std::nullopt;
}

bool has_space_or_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

std::optional<std::string> problem_with_host(std::string_view text) {
  const bool fine = text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                             c == '-' || c == '_' || c == ':';
                    });
  // One colon would be a port; an IPv6 address has at least two.
  if (fine && std::count(text.begin(), text.end(), ':') != 1) return std::nullopt;
  if (text.find('@') != std::string_view::npos) return "is a host name or address without user and password";
  return fmt::format("{} is not a host name or address; port and TLS are settings of their own", in_quotes(text));
}

/// Never shows the text: a URL may hold a password.
std::optional<std::string> problem_with_url(std::string_view text) {
  const std::string start = lower(text.substr(0, 8));
  const std::size_t scheme = start.starts_with("https://") ? 8 : start.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return "must start with http:// or https://";
  if (text.find('@') != std::string_view::npos) return "must not hold a user or password";
  if (has_space_or_control(text) || text.size() > 2048) return "is not a URL";
  if (text.size() == scheme || text[scheme] == '/') return "names no host";
  return std::nullopt;
}

std::optional<std::string> problem_with_bucket(std::string_view text) {
  const bool arn = text.starts_with("arn:");
  if (!arn && text.find('/') != std::string_view::npos)
    return fmt::format("{} is not the name of a bucket; the part behind it is the prefix, a setting of its own",
                       in_quotes(text));
  if (has_space_or_control(text) || text.size() > 255)
    return fmt::format("{} is not the name of a bucket", in_quotes(text));
  return std::nullopt;
}

std::optional<std::string> problem_with_prefix(std::string_view text) {
  if (text.size() > max_prefix_bytes)
    return fmt::format("a prefix has at most {} bytes, this one has {}", max_prefix_bytes, text.size());
  if (text.starts_with("s3://")) return "a prefix is what follows the bucket, which is a setting of its own";
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return "a prefix holds no control characters";
  return std::nullopt;
}

std::optional<std::string> problem_with_encryption(std::string_view text) {
  if (text.empty() || text == "AES256" || text == "aws:kms" || text == "aws:kms:dsse") return std::nullopt;
  return fmt::format("{} is none of AES256, aws:kms and aws:kms:dsse", in_quotes(text));
}

std::optional<std::string> problem_with_text(std::string_view text) {
  if (has_space_or_control(text.substr(0, 1)) || text.size() > 2048 ||
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return fmt::format("{} cannot be a value here", in_quotes(text));
  return std::nullopt;
}

}  // namespace

std::optional<std::string> problem_with(setting_kind kind, std::string_view text) {
  if (text.empty() && kind != setting_kind::prefix && kind != setting_kind::encryption) return "must not be empty";
  switch (kind) {
    case setting_kind::text:
      return problem_with_text(text);
    case setting_kind::bucket:
      return problem_with_bucket(text);
    case setting_kind::prefix:
      return problem_with_prefix(text);
    case setting_kind::host:
      return problem_with_host(text);
    case setting_kind::url:
      return problem_with_url(text);
    case setting_kind::port:
      return problem_with_number(text, 1, 65535);
    case setting_kind::flag:
      return problem_with_flag(text);
    case setting_kind::parallelism:
      return problem_with_parallelism(text);
    case setting_kind::segments:
      return problem_with_number(text, 1, max_segments);
    case setting_kind::attempts:
      return problem_with_number(text, 1, max_attempts);
    case setting_kind::units:
      return problem_with_number(text, 1, max_units);
    case setting_kind::bytes:
      return problem_with_size(text);
    case setting_kind::encryption:
      return problem_with_encryption(text);
  }
  return std::nullopt;
}

bool flag_value(std::string_view text) {
  const std::string word = lower(text);
  return word == "true" || word == "1";
}

std::uint64_t number_value(std::string_view text) { return whole_number(text).value_or(0); }

std::uint64_t bytes_value(std::string_view text) { return size_in_bytes(text).value_or(0); }

}  // namespace dynabackup::apps
